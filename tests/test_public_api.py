"""What `import fairage` offers, and what it costs."""

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fairage

PACKAGES = ["fairage", "fairage.auditing", "fairage.reports"]
SOURCE = Path(fairage.__file__).parent
TABLE = {
    "image": [f"{i}.jpg" for i in range(60)],
    "age": [20, 30, 40] * 20,
    "prediction": [21, 30, 43] * 20,
}
GENDER = ["f", "f", "m"] * 20
FEW = fairage.AuditSettings(min_rows=20)


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("name", PACKAGES)
def test_all_names_what_is_there(name: str) -> None:
    package = importlib.import_module(name)
    assert len(set(package.__all__)) == len(package.__all__)
    assert all(hasattr(package, public) for public in package.__all__)


@pytest.mark.parametrize("name", PACKAGES[1:])
def test_a_package_only_re_exports(name: str) -> None:
    path = SOURCE.joinpath(*name.split(".")[1:], "__init__.py")
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    assert all(isinstance(n, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign) for n in nodes)


def test_public_names_are_typed_and_listed_once() -> None:
    text = (SOURCE / "__init__.py").read_text(encoding="utf-8")
    assert set(fairage._MODULES) <= set(fairage.__all__)
    tree = ast.parse(text)
    checking = next(n for n in tree.body if isinstance(n, ast.If))
    typed = {
        a.name: n.module
        for n in checking.body
        for a in n.names  # type: ignore[attr-defined]  # an import
    }
    assert typed == fairage._MODULES


def test_every_public_name_is_in_the_reference() -> None:
    reference = (SOURCE.parents[1] / "docs" / "reference.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^::: (\S+)", reference, flags=re.M))
    for name in set(fairage.__all__) - {"__version__"}:
        public = getattr(fairage, name)
        module = getattr(public, "__module__", "fairage.auditing.measures")
        assert module in documented, f"{name} of {module}"


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for module in [name for name in sys.modules if name.startswith("fairage.embeddings")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delattr(fairage, "embed", raising=False)
    with pytest.raises(fairage.MissingDependencyError, match=r"fairage\[train\]"):
        _ = fairage.embed


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'odit'"):
        _ = fairage.odit


@pytest.mark.parametrize("first", ["import fairage", "import fairage.auditing.auditor"])
def test_the_function_stays_a_function(first: str) -> None:
    code = (
        f"{first}; import fairage, fairage.auditing.rows, fairage.reports;"
        "from fairage import audit;"
        f"print(audit is fairage.audit, len(fairage.audit({TABLE}).models))"
    )
    assert python(code) == "True 1"


def test_importing_costs_next_to_nothing() -> None:
    code = (
        "import sys, time; start = time.process_time(); import fairage;"
        "print(time.process_time() - start < 1, [m for m in ('torch', 'cv2', 'matplotlib', "
        "'sklearn', 'pandas', 'jinja2', 'polars') if m in sys.modules])"
    )
    assert python(code) == "True []"


def test_training_does_not_wait_for_scikit_learn() -> None:
    code = (
        "import sys, fairage.experiments.suite; print('sklearn' in sys.modules);"
        "from fairage.training import FairAgeRegressor; print('sklearn' in sys.modules)"
    )
    assert python(code).split() == ["False", "True"]


@pytest.mark.parametrize("make", [dict, pl.DataFrame, pd.DataFrame])
def test_tables_of_every_kind_are_audited_and_compared(make: type) -> None:
    table = make({**TABLE, "gender": GENDER})
    result = fairage.audit(table, settings=FEW)
    expected = fairage.score(
        TABLE["age"], TABLE["prediction"], {"gender": GENDER}, min_rows=20
    ).biases["gender"]
    assert result.bias["gender"].value == pytest.approx(expected)
    change = fairage.compare(table, table, settings=FEW)
    for made in (result, change):
        assert json.dumps(made.to_dict(), allow_nan=False)
        assert made.to_frame().height > 0
        assert "<table" in made._repr_html_()
        assert len(repr(made)) < 300


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        (GENDER, ["group"]),
        ({"gender": GENDER, "skin": GENDER}, ["gender", "skin"]),
        (pd.Series(GENDER, name="sex"), ["sex"]),
        (pd.DataFrame({"a b": GENDER}), ["a b"]),
        (None, []),
    ],
)
def test_arrays_are_audited(groups: object, names: list[str]) -> None:
    result = fairage.audit(np.array(TABLE["age"]), TABLE["prediction"], groups, settings=FEW)
    assert [name for name in result.groups if name != "age_group"] == names


def test_one_attribute_may_be_a_text() -> None:
    table = {**TABLE, "gender": GENDER, "skin": GENDER}
    assert list(fairage.audit(table, attributes="gender", settings=FEW).groups) == [
        "gender",
        "age_group",
    ]


def test_a_measure_of_ones_own_stands_beside_the_others(tmp_path: Path) -> None:
    gross = fairage.Measure.of(
        lambda errors: float(np.mean(np.abs(errors) > 2)), title="Gross", unit="share"
    )
    result = fairage.audit({**TABLE, "gender": GENDER}, measures=[gross], settings=FEW)
    assert result.overall["gross"].value == pytest.approx(1 / 3)
    assert result.groups["gender"]["m"]["gross"].value == 1.0
    page = result.save(tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "Gross (approximate)" in page
    written = json.loads(result.save(tmp_path / "audit.json").read_text(encoding="utf-8"))
    model = written["models"]["prediction"]
    assert model["own_measures"]["gross"]["unit"] == "share"
    assert model["groups"]["gender"]["m"]["gross"]["value"] == 1.0
    with pytest.raises(fairage.ConfigError, match="title that no measure has"):
        fairage.Measure.of(np.mean, title="MAE")


def test_several_models_ask_which_one() -> None:
    table = {**TABLE, "pred_b": TABLE["prediction"], "gender": GENDER}
    result = fairage.audit(table, prediction=["prediction", "pred_b"], settings=FEW)
    with pytest.raises(fairage.ConfigError, match=r"choose one: result\.models"):
        _ = result.bias
    assert result.models["pred_b"].bias["gender"] == result.models["prediction"].bias["gender"]
