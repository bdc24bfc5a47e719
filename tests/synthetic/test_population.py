"""Shares: the challenge's counts by default, and what one sets otherwise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.age_groups import AgeGroups
from fairage.exceptions import ConfigError
from fairage.synthetic import BALANCED, CHALLENGE, Population, parse_share
from fairage.synthetic.population import OLDEST, ages_within

COUNTS = {
    "gender": {"male": 2068, "female": 1997},
    "ethnicity": {"caucasian": 3522, "asian": 424, "afroamerican": 119},
    "expression": {"neutral": 1404, "slightlyhappy": 1784, "happy": 712, "other": 165},
    "age_group": {"young": 796, "adult": 2389, "senior": 732, "old": 148},
}


def counted(values: np.ndarray) -> dict[str, int]:
    names, counts = np.unique(values, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


@pytest.mark.parametrize("attribute", COUNTS)
def test_as_many_faces_as_the_challenge_has_give_its_counts(
    attribute: str, rng: np.random.Generator
) -> None:
    assert counted(CHALLENGE.deal(attribute, 4065, rng)) == COUNTS[attribute]


@given(n=st.integers(1, 2000), attribute=st.sampled_from(sorted(COUNTS)))
def test_dealt_counts_are_the_shares_to_within_one_face(n: int, attribute: str) -> None:
    dealt = counted(CHALLENGE.deal(attribute, n, np.random.default_rng(n)))
    assert sum(dealt.values()) == n
    for group, share in CHALLENGE.shares(attribute).items():
        assert abs(dealt.get(group, 0) - share * n) <= 1


@pytest.mark.parametrize("attribute", COUNTS)
def test_the_balanced_population_has_equal_shares(attribute: str) -> None:
    shares = BALANCED.shares(attribute)
    assert list(shares.values()) == pytest.approx([1 / len(shares)] * len(shares))


def test_one_share_is_set_and_the_others_keep_their_ratios() -> None:
    shares = CHALLENGE.with_share("ethnicity", "asian", 0.5).shares("ethnicity")
    assert shares["asian"] == 0.5
    assert shares["caucasian"] / shares["afroamerican"] == pytest.approx(3522 / 119)


def test_ages_lie_within_their_group(rng: np.random.Generator) -> None:
    groups = CHALLENGE.deal("age_group", 2000, rng)
    ages = ages_within(groups, rng)
    assert (AgeGroups().assign(ages) == groups).all()
    assert ages.max() <= OLDEST


@pytest.mark.parametrize(
    "shares",
    [{"gender": {"robot": 1.0}}, {"gender": {"male": -1.0}}, {"gender": {"male": float("nan")}},
     {"age_group": {"old": 0.0}}],
)  # fmt: skip
def test_wrong_shares_are_refused(shares: dict[str, dict[str, float]]) -> None:
    with pytest.raises(ConfigError):
        Population(**shares)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_set_share_must_be_a_share(share: float) -> None:
    with pytest.raises(ConfigError, match=r"0\.\.1"):
        CHALLENGE.with_share("gender", "male", share)


@given(share=st.floats(0, 1), group=st.sampled_from(sorted(COUNTS["ethnicity"])))
def test_a_share_is_read_back_from_its_text(share: float, group: str) -> None:
    assert parse_share(f"ethnicity={group}:{share}") == ("ethnicity", group, share)


@pytest.mark.parametrize("text", ["", "ethnicity=asian", "ethnicity=asian:", "asian:many"])
def test_a_text_that_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="ethnicity=asian:0"):
        parse_share(text)
