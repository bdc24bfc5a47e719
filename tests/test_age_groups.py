"""Age groups: half-open bins, their names, and what no bins can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.age_groups import AgeGroups
from fairage.exceptions import ConfigError, DataError


def test_bins_hold_their_lower_edge_and_not_their_upper_one() -> None:
    assert AgeGroups.from_edges([0, 18, 65]).codes([0, 17.999, 18, 64.999, 65, 120]).tolist() == [
        *(0, 0, 1, 1, 2, 2)
    ]


@pytest.mark.parametrize("edges", [[], [5, 20], [0, 20, 20], [0, 40, 20], [0, 120], [0, np.inf]])
def test_edges_must_rise_from_zero(edges: list[float]) -> None:
    with pytest.raises(ConfigError, match="rise from 0"):
        AgeGroups.from_edges(edges)


@pytest.mark.parametrize("names", [("a",), ("a", "a"), ("a", "b", "c")])
def test_every_bin_has_a_name_of_its_own(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="2 different age-group names"):
        AgeGroups((0.0, 20.0), names)


@given(st.lists(st.floats(0, 120), min_size=1, max_size=30))
def test_every_age_lies_in_the_bin_it_is_given(ages: list[float]) -> None:
    edges = [*AgeGroups().edges, np.inf]
    for age, code in zip(ages, AgeGroups().codes(ages), strict=True):
        assert edges[code] <= age < edges[code + 1]


def test_json_holds_edges_and_names() -> None:
    groups = AgeGroups((0.0, 17.5), ("minor", "of age"))
    assert AgeGroups.from_json(groups.to_json()) == groups


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"edges": [5], "names": ["a"]}'])
def test_what_is_no_age_groups_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="expected age groups with edges and names"):
        AgeGroups.from_json(text)


def test_edges_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ConfigError, match="as numbers such as 0,18,65, got '0,x'"):
        AgeGroups.parse("0,x")


def test_lists_are_as_good_as_tuples_and_the_default_edges_have_their_names() -> None:
    assert AgeGroups([0, 18], ["a", "b"]) == AgeGroups((0.0, 18.0), ("a", "b"))  # type: ignore[arg-type]  # as users write them
    assert AgeGroups.parse("0,20,40,60") == AgeGroups()


def test_names_tell_edges_apart_that_are_close() -> None:
    assert AgeGroups.from_edges([0, 17.5, 17.5000001]).names == (
        "0-17.5",
        "17.5-17.5000001",
        "17.5000001+",
    )
