"""Scorers in scikit-learn's searches."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from fairage.auditing.scoring import score
from fairage.auditing.sklearn_scorers import average_bias_scorer, mae_scorer
from fairage.exceptions import ConfigError, DataError


@pytest.fixture
def faces(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({"x": rng.normal(size=120), "sex": rng.choice(["f", "m"], 120)})


def test_a_search_with_a_column_scorer_finds_a_model(faces: pd.DataFrame) -> None:
    ages = 30 + 5 * faces["x"].to_numpy()
    model = make_pipeline(make_column_transformer(("passthrough", ["x"])), Ridge())
    scoring = {"mae": mae_scorer(), "bias": average_bias_scorer(["sex"], min_rows=10)}
    search = GridSearchCV(
        model,
        {"ridge__alpha": [0.1, 1e6]},
        scoring=scoring,
        refit="mae",
        cv=3,
        error_score="raise",
    )
    search.fit(faces, ages)
    assert search.best_params_ == {"ridge__alpha": 0.1}
    assert (search.cv_results_["mean_test_bias"] <= 0).all()


def test_the_scorer_is_the_negative_average_bias(faces: pd.DataFrame) -> None:
    ages = 30 + 5 * faces["x"].to_numpy() ** 2
    model = make_pipeline(make_column_transformer(("passthrough", ["x"])), LinearRegression())
    model.fit(faces, ages)
    expected = score(ages, model.predict(faces), {"sex": faces["sex"].to_numpy().astype(str)})
    scorer = pickle.loads(pickle.dumps(average_bias_scorer(["sex"])))
    assert scorer(model, faces, ages) == pytest.approx(-expected.average_bias)
    assert mae_scorer()(model, faces, ages) == pytest.approx(-expected.mae)


def test_attributes_travel_by_metadata_routing(faces: pd.DataFrame) -> None:
    ages = 30 + 5 * faces["x"].to_numpy() ** 2
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = average_bias_scorer(min_rows=10).set_score_request(attributes=True)
        scores = cross_validate(
            LinearRegression(),
            faces[["x"]].to_numpy(),
            ages,
            scoring=scorer,
            cv=3,
            params={"attributes": faces[["sex"]].to_numpy()},
            error_score="raise",
        )
    assert (scores["test_score"] < 0).all()


def test_a_frame_without_the_columns_is_an_error(faces: pd.DataFrame) -> None:
    model = LinearRegression().fit(faces[["x"]], faces["x"])
    with pytest.raises(DataError, match="expected a frame with the columns"):
        average_bias_scorer(["sex"])(model, faces[["x"]], faces["x"])


def test_rows_without_two_groups_that_take_part_are_an_error_and_no_score(
    faces: pd.DataFrame,
) -> None:
    model = make_pipeline(make_column_transformer(("passthrough", ["x"])), LinearRegression())
    model.fit(faces, faces["x"])
    few = faces.head(40)
    with pytest.raises(DataError, match="expected an attribute with two groups of 30 rows"):
        average_bias_scorer(["sex"])(model, few, few["x"])
    assert average_bias_scorer(["sex"], min_rows=5)(model, few, few["x"]) <= 0


def test_min_rows_below_two_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected min_rows of 2 or more"):
        average_bias_scorer(["sex"], min_rows=1)
