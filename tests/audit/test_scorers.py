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

from fairage.audit.gaps import score
from fairage.audit.scorers import average_bias_scorer, mae_scorer
from fairage.exceptions import DataError


@pytest.fixture
def faces(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({"x": rng.normal(size=120), "sex": rng.choice(["f", "m"], 120)})


def test_a_search_with_a_column_scorer_finds_a_model(faces: pd.DataFrame) -> None:
    ages = 30 + 5 * faces["x"].to_numpy()
    model = make_pipeline(make_column_transformer(("passthrough", ["x"])), Ridge())
    scoring = {"mae": mae_scorer(), "bias": average_bias_scorer(["sex"])}
    search = GridSearchCV(model, {"ridge__alpha": [0.1, 1e6]}, scoring=scoring, refit="mae", cv=3)
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
        scorer = average_bias_scorer().set_score_request(attributes=True)
        found = cross_validate(
            LinearRegression(),
            faces[["x"]].to_numpy(),
            ages,
            scoring=scorer,
            cv=3,
            params={"attributes": faces[["sex"]].to_numpy()},
            error_score="raise",
        )
    assert (found["test_score"] < 0).all()


def test_a_frame_without_the_columns_is_an_error(faces: pd.DataFrame) -> None:
    model = LinearRegression().fit(faces[["x"]], faces["x"])
    with pytest.raises(DataError, match="expected a frame with the columns"):
        average_bias_scorer(["sex"])(model, faces[["x"]], faces["x"])
