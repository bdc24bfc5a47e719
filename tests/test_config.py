"""Choosing by name with options, and the folders that commands use where none is given."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from fairage._registry import build, cache_folder, default_store
from fairage.exceptions import ConfigError


@dataclass(frozen=True)
class Square:
    side: float = 1.0
    colours: tuple[str, ...] = ()


@dataclass(frozen=True)
class Circle:
    radius: float

    def __post_init__(self) -> None:
        if self.radius <= 0:
            raise ConfigError(f"expected a radius above 0, got {self.radius}, correct it")


SHAPES = {"square": Square, "circle": Circle}


def test_a_name_without_options_has_the_defaults() -> None:
    assert build("shape", SHAPES, "square", {}) == Square()


def test_options_fill_the_fields_and_lists_become_tuples() -> None:
    told = {"side": 2, "colours": ["red", "blue"]}
    assert build("shape", SHAPES, "square", told) == Square(2.0, ("red", "blue"))


def test_an_unknown_name_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as raised:
        build("shape", SHAPES, "squar", {})
    assert str(raised.value) == (
        "shape must be one of ['circle', 'square']; got 'squar'. Did you mean 'square'?"
    )


def test_a_name_that_is_near_none_has_no_guess() -> None:
    with pytest.raises(ConfigError) as raised:
        build("shape", SHAPES, "xyz", {})
    assert "Did you mean" not in str(raised.value)


def test_an_unknown_option_is_an_error_with_the_nearest_option() -> None:
    with pytest.raises(ConfigError) as raised:
        build("shape", SHAPES, "square", {"sid": 2})
    assert str(raised.value) == (
        "option of shape 'square' must be one of ['colours', 'side']; got 'sid'. "
        "Did you mean 'side'?"
    )


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"side": "long"}, "option 'side' of shape 'square': expected .*number.*, got 'long'"),
        ({"colours": "red"}, "option 'colours' of shape 'square': expected .*tuple.*, got 'red'"),
        ({"colours": [3]}, r"option 'colours\.0' of shape 'square': expected .*string.*, got 3"),
    ],
)
def test_a_value_of_another_type_is_an_error(told: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build("shape", SHAPES, "square", told)


def test_an_option_that_must_be_given_is_named() -> None:
    with pytest.raises(ConfigError, match="a value for the option 'radius' of shape 'circle'"):
        build("shape", SHAPES, "circle", {})


def test_a_members_own_check_speaks_for_itself() -> None:
    with pytest.raises(ConfigError, match=r"^expected a radius above 0, got -1\.0, correct it$"):
        build("shape", SHAPES, "circle", {"radius": -1})


def test_the_cache_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRAGE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    assert default_store().parent == tmp_path


@pytest.mark.parametrize("value", [None, ""])
def test_the_cache_is_in_the_home_folder_otherwise(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAIRAGE_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("FAIRAGE_CACHE", value)
    assert cache_folder() == Path.home() / ".cache" / "fairage"
