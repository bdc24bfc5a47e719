"""The weights of an expert: the study's, put together from 1a and 1b."""

import numpy as np
import polars as pl
import pytest

from fairage.exceptions import DataError
from fairage.weighting import make_weighting


@pytest.mark.parametrize("attribute", ["gender", "ethnicity", "expression"])
def test_an_experts_weights_are_its_attributes_times_the_age_groups(
    attribute: str, faces_frame: pl.DataFrame
) -> None:
    found = make_weighting("expert", attribute=attribute).weigh(faces_frame)
    whole = make_weighting("1b").weigh(faces_frame)
    assert found.groups == {name: whole.groups[name] for name in (attribute, "age_group")}
    age_alone = make_weighting("1b", attributes=()).weigh(faces_frame)
    own = make_weighting("1b", attributes=(attribute,), age=None).weigh(faces_frame)
    product = age_alone.values * own.values
    np.testing.assert_allclose(found.values, product / product.mean())


def test_the_age_expert_sees_years_alone(faces_frame: pl.DataFrame) -> None:
    found = make_weighting("expert").weigh(faces_frame)
    bare = faces_frame.drop("gender", "ethnicity", "expression")
    np.testing.assert_array_equal(found.values, make_weighting("1a").weigh(bare).values)


def test_an_unknown_attribute_is_an_error(faces_frame: pl.DataFrame) -> None:
    with pytest.raises(DataError, match="got 'age'"):
        make_weighting("expert", attribute="age").weigh(faces_frame)
