"""Extra faces that recipes train on: which are missing is told at once, in the recipes' order."""

import pytest

from fairage.exceptions import ConfigError, DataError
from fairage.experiments.embedded_faces import with_extra_faces
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import recipe_from
from fairage.tables import Faces

NAMES = ("zeta", "alpha", "mid", "beta")


@pytest.fixture
def faces(faces_frame) -> Faces:
    return Faces(faces_frame)


def recipe(version: str, *names: str) -> Recipe:
    stages = [{"name": f"stage {name}", "data": name} for name in names]
    return recipe_from({"experiment": "x", "version": version, "stages": stages}, "test")


def test_all_missing_extra_faces_are_named_in_the_order_of_the_stages(faces: Faces) -> None:
    message = (
        "expected the extra faces 'zeta', 'mid', 'beta', which stages train on, got 'alpha', "
        "prepare their table and give --extra-faces "
        "zeta=TABLE --extra-faces mid=TABLE --extra-faces beta=TABLE"
    )
    with pytest.raises(DataError, match=message):
        with_extra_faces([recipe("a", *NAMES[:2]), recipe("b", *NAMES[2:])], {"alpha": faces})


def test_a_suite_is_told_all_that_each_recipe_misses(faces: Faces) -> None:
    recipes = [recipe("plain"), recipe("all", *NAMES), recipe("one", "mid")]
    kept, left_out = with_extra_faces(recipes, {"mid": faces}, leave_out=True)
    assert [told.version for told in kept] == ["plain", "one"]
    assert list(left_out) == ["x-all"]
    assert "'zeta', 'alpha', 'beta', which stages train on" in left_out["x-all"]


def test_where_no_recipe_is_left_that_is_an_error() -> None:
    with pytest.raises(DataError, match="'zeta', 'alpha', which stages train on"):
        with_extra_faces([recipe("a", "zeta"), recipe("b", "alpha")], {}, leave_out=True)


def test_extra_faces_that_no_recipe_names_are_refused(faces: Faces) -> None:
    with pytest.raises(ConfigError, match=r"\['zeta', 'alpha'\], got \['other'\] as well"):
        with_extra_faces([recipe("a", "zeta", "alpha")], {"other": faces})
