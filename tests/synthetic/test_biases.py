"""The text form of a bias, and wrong ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.exceptions import ConfigError
from fairage.synthetic import GroupBias

KNOBS = {
    "cue": st.floats(0, 2),
    "cue_noise": st.floats(0, 50),
    "noise": st.floats(0, 50),
    "shift": st.floats(-50, 50),
}


@given(knobs=st.fixed_dictionaries({}, optional=KNOBS))
def test_a_bias_is_read_back_from_its_text(knobs: dict[str, float]) -> None:
    text = ",".join(f"{name}={value}" for name, value in knobs.items()) or "cue=1"
    assert GroupBias.parse(f"gender=female:{text}") == GroupBias("gender", "female", **knobs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ethnicity=asiann:cue=0.4", "Did you mean 'asian'"),
        ("colour=red:cue=0.4", "attribute must be one of"),
        ("gender=male:que=0.4", "Did you mean 'cue'"),
        ("gender=male:cue=much", "write it so"),
        ("gender=male", "write it so"),
        ("gender=male:cue=3", r"cue in 0\.\.2"),
        ("gender=male:noise=-1", r"noise in 0\.\.50"),
        ("gender=male:noise=nan", "noise in"),
    ],
)
def test_a_wrong_bias_says_what_is_expected(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        GroupBias.parse(text)


def test_in_words_tells_every_knob() -> None:
    told = GroupBias("gender", "male", cue=0.5, cue_noise=2, noise=3, shift=-1).in_words()
    for part in ("50 %", "off by 2 years", "labels that are off by 3 years", "1 years too low"):
        assert part in told
