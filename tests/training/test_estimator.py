"""The scikit-learn estimator: scikit-learn's own checks, searches, groups and mistakes."""

import pickle
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from fairage.auditing.scoring import score
from fairage.auditing.sklearn_scorers import average_bias_scorer
from fairage.exceptions import ConfigError, DataError
from fairage.training import FairAgeRegressor
from fairage.training.estimator_data import labels_table

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "rows are shuffled into batches and split for validation, so a weight of 2 is a row twice "
        "on average only"
    ),
}
QUICK = {"epochs": 4, "batch_size": 32, "learning_rate": 1e-2, "random_state": 0}


def pandas(groups: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(groups.to_dict(as_series=False))


@parametrize_with_checks([FairAgeRegressor()], expected_failed_checks=lambda estimator: EXPECTED)
def test_scikit_learns_checks_pass(estimator, check) -> None:
    check(estimator)


@pytest.fixture
def faces() -> tuple[np.ndarray, np.ndarray, pl.DataFrame]:
    """Embeddings that tell the age of the one sex better than of the other."""
    rng = np.random.default_rng(0)
    sex = np.where(rng.random(400) < 0.25, "m", "f")
    X = rng.normal(size=(400, 5))
    noise = np.where(sex == "m", 9.0, 2.0) * rng.normal(size=400)
    y = np.clip(40 + 13 * X[:, 0] + noise, 1, 99)
    return X, y, pl.DataFrame({"sex": sex, "glasses": rng.choice(["yes", "no"], 400)})


@pytest.fixture
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_it_learns_and_names_what_it_saw(faces) -> None:
    X, y, groups = faces
    frame = pd.DataFrame(X, columns=list("abcde"))
    few = {"name": "loss", "min_rows": 2}
    model = FairAgeRegressor(batch_size=16, selection=few, random_state=0).fit(frame, y, groups)
    assert model.score(frame, y) > 0.6
    assert model.feature_names_in_.tolist() == list("abcde")
    assert model.n_iter_ == len(model.history_.epochs)
    assert set(model.history_.epochs[0].valid_biases) == {"sex", "glasses", "age_group"}


@pytest.mark.parametrize(
    "make",
    [lambda g: pandas(g), lambda g: {n: g[n].to_list() for n in g.columns}, lambda g: g],
    ids=["pandas", "mapping", "polars"],
)
def test_groups_may_come_as_frames_or_mappings(faces, make: Callable) -> None:
    X, y, groups = faces
    expected = FairAgeRegressor(weighting="1b", **QUICK).fit(X, y, groups).predict(X)
    found = FairAgeRegressor(weighting="1b", **QUICK).fit(X, y, make(groups)).predict(X)
    np.testing.assert_array_equal(found, expected)


def test_groups_may_come_as_arrays(faces) -> None:
    X, y, groups = faces
    model = FairAgeRegressor(**QUICK, selection={"name": "loss", "min_rows": 2})
    one = clone(model).fit(X, y, groups["sex"].to_numpy())
    two = clone(model).fit(X, y, groups.to_numpy())
    assert set(one.history_.epochs[0].valid_biases) == {"group", "age_group"}
    assert set(two.history_.epochs[0].valid_biases) == {"group_0", "group_1", "age_group"}


def test_weighting_and_fairness_see_the_groups(faces) -> None:
    X, y, groups = faces
    plain = FairAgeRegressor(**QUICK).fit(X, y, groups).predict(X)
    for change in (
        {"weighting": {"name": "inverse", "attributes": ["sex"]}},
        {"fairness": {"name": "gap", "strength": 2.0, "attributes": ["sex"]}},
        {"after": ["recalibrate"]},
        {"selection": {"name": "fair", "delta": 0.5}},
    ):
        assert not np.allclose(
            FairAgeRegressor(**change, **QUICK).fit(X, y, groups).predict(X), plain
        )


def test_other_heads_read_the_raters_deviation(faces) -> None:
    X, y, groups = faces
    told = {"head": {"name": "label-distribution", "hidden": [16]}, "objective": "dldl", **QUICK}
    narrow = FairAgeRegressor(**told).fit(X, y, groups, age_std=np.full(400, 1.0)).predict(X)
    wide = FairAgeRegressor(**told).fit(X, y, groups, age_std=np.full(400, 9.0)).predict(X)
    assert not np.allclose(narrow, wide)


def test_rows_to_validate_on_may_be_given(faces) -> None:
    X, y, groups = faces
    model = FairAgeRegressor(**QUICK, selection={"name": "loss", "min_rows": 10})
    model.fit(X[:300], y[:300], groups[:300], validation=(X[300:], y[300:], groups[300:]))
    biases = model.history_.epochs[model.history_.best].valid_biases
    told = {name: groups[name][300:].to_numpy() for name in groups.columns}
    expected = score(y[300:], model.predict(X[300:]), told, min_rows=10).biases
    assert {name: biases[name] for name in told} == pytest.approx(expected, abs=1e-3)


def test_fair_without_groups_that_are_large_enough_says_that_it_chose_by_mae(faces) -> None:
    X, y, groups = faces
    model = FairAgeRegressor(**QUICK, selection="fair")
    rows = slice(0, 60)
    with pytest.warns(UserWarning, match="the lowest MAE was chosen instead of the fairest"):
        model.fit(X[rows], y[rows], groups[rows])
    maes = [epoch.valid_mae for epoch in model.history_.epochs]
    assert model.history_.best == maes.index(min(maes))
    few = {"name": "fair", "min_rows": 2}
    assert FairAgeRegressor(**QUICK, selection=few).fit(X, y, groups).history_.note == ""


def test_rows_of_weight_zero_are_left_out(faces) -> None:
    X, y, groups = faces
    weights = np.where(np.arange(400) < 300, 1.0, 0.0)
    found = FairAgeRegressor(**QUICK).fit(X, y, groups, sample_weight=weights).predict(X)
    expected = FairAgeRegressor(**QUICK).fit(X[:300], y[:300], groups[:300]).predict(X)
    np.testing.assert_array_equal(found, expected)


def test_a_group_of_one_row_stays_in_training(faces) -> None:
    X, y, _ = faces
    rare = np.array(["a", "b"] * 199 + ["rare", "a"])
    for seed in range(5):
        told = {**QUICK, "epochs": 1, "random_state": seed}
        FairAgeRegressor(fairness="gap", **told).fit(X, y, {"kind": rare})


def test_it_is_cloned_pickled_and_repeats_itself(faces) -> None:
    X, y, groups = faces
    model = FairAgeRegressor(fairness={"name": "gap", "strength": 0.5}, **QUICK)
    fitted = clone(model).fit(X, y, groups)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(clone(fitted).fit(X, y, groups).predict(X), fitted.predict(X))


def test_it_works_in_pipelines_and_cross_validation(faces) -> None:
    X, y, groups = faces
    model = make_pipeline(PCA(3), FairAgeRegressor(weighting="1b", **QUICK))
    given = {"fairageregressor__groups": pandas(groups)}
    assert cross_val_score(model, X, y, cv=2, params=given).shape == (2,)
    search = GridSearchCV(
        FairAgeRegressor(**QUICK),
        {
            "weighting": ["none", "1b"],
            "head": ["regression", {"name": "regression", "hidden": [8]}],
        },
        cv=2,
        scoring="neg_mean_absolute_error",
    )
    assert search.fit(X, y).best_params_["weighting"] in ("none", "1b")


@pytest.mark.usefixtures("routing")
def test_groups_are_routed_to_the_estimator_and_the_scorer(faces) -> None:
    X, y, groups = faces
    model = FairAgeRegressor(fairness={"name": "gap", "attributes": ["group_0"]}, **QUICK)
    search = GridSearchCV(
        model.set_fit_request(groups=True),
        {"learning_rate": [1e-2, 1e-3]},
        scoring=average_bias_scorer().set_score_request(attributes=True),
        cv=2,
        error_score="raise",
    )
    labels = groups.to_numpy()
    search.fit(X, y, groups=labels, attributes=labels)
    assert search.best_score_ < 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weighting": "2bb"}, r"Did you mean '2b'"),
        ({"objective": "hubr"}, r"Did you mean 'huber'"),
        ({"head": "corn"}, r"expected a head for the objective"),
        ({"fairness": {"name": "gap", "strenght": 1}}, r"Did you mean 'strength'"),
        ({"fairness": {"strength": 1}}, r"mapping with the key 'name'"),
        ({"fairness": {"name": "gap", "attributes": ["age"]}}, r"attribute of the fairness term"),
        ({"selection": "fairest"}, r"did you mean 'fair'"),
        ({"after": ["recalibrat"]}, r"Did you mean 'recalibrate'"),
        ({"epochs": 0}, r"epochs: expected 1 or more"),
        ({"batch_size": "many"}, r"batch_size: expected"),
        ({"learning_rate": 0.0}, r"learning_rate: expected a number above 0"),
        ({"optimizer": "sgd"}, r"optimizer: expected 'adam'"),
        ({"validation_fraction": 1.0}, r"validation_fraction above 0"),
    ],
)
def test_a_wrong_parameter_is_told_when_fitting(faces, parameters, message: str) -> None:
    X, y, groups = faces
    with pytest.raises(ConfigError, match=message):
        FairAgeRegressor(**parameters).fit(X, y, groups)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"groups": {"sex": ["f", "m"]}}, r"expected 400 labels .* got \{'sex': 2\}"),
        ({"groups": {"age": ["f"] * 400}}, r"\['age'\].*rename"),
        ({"groups": {"age_group": ["f"] * 400}}, r"\['age_group'\].*rename"),
        ({"groups": np.zeros((400, 2, 2))}, r"shape \(n,\) or \(n, attributes\)"),
        ({"sample_weight": np.ones(3)}, r"sample_weight of shape \(400,\)"),
        ({"sample_weight": -np.ones(400)}, r"sample_weight of 0 or more"),
        ({"age_std": np.ones((400, 1))}, r"age_std of shape \(400,\)"),
        ({"age_std": -np.ones(400)}, r"age_std of 0 years or more, got -1"),
        ({"validation": (1,)}, r"validation as \(X, y\)"),
        ({"validation": 3}, r"validation as \(X, y\)"),
    ],
)
def test_wrong_rows_are_told(faces, told: dict, message: str) -> None:
    X, y, _ = faces
    with pytest.raises(DataError, match=message):
        FairAgeRegressor(**QUICK).fit(X, y, **told)


def test_negative_ages_are_refused(faces) -> None:
    X, y, _ = faces
    with pytest.raises(DataError, match="ages of 0 years or more"):
        FairAgeRegressor().fit(X, y - 50)
    with pytest.raises(DataError, match="up to 1000"):
        FairAgeRegressor().fit(X, np.full(len(y), 1e30))


def test_rows_to_validate_on_need_the_groups_of_the_fairness_term(faces) -> None:
    X, y, groups = faces
    model = FairAgeRegressor(fairness="gap", **QUICK)
    with pytest.raises(DataError, match="of the fairness term in the validation rows too"):
        model.fit(X, y, groups, validation=(X, y))


@pytest.mark.parametrize("scale", [1e308, 1e-300])
def test_the_unit_of_sample_weights_does_not_matter(faces, scale: float) -> None:
    X, y, groups = faces
    plain = FairAgeRegressor(**QUICK).fit(X, y, groups).predict(X)
    weights = np.full(len(y), scale)
    weighed = FairAgeRegressor(**QUICK).fit(X, y, groups, sample_weight=weights).predict(X)
    np.testing.assert_array_equal(weighed, plain)


def test_missing_labels_are_the_group_unknown() -> None:
    labels = [None, "f", float("nan"), " "]
    found = labels_table(np.full(4, 30.0), {"sex": labels})
    assert found["sex"].to_list() == ["unknown", "f", "unknown", "unknown"]
