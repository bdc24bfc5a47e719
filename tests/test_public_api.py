"""What `import fairage` offers, and what it costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import fairage
from fairage.audit.gaps import score

PACKAGES = ["fairage", "fairage.audit", "fairage.report"]
SOURCE = Path(fairage.__file__).parent
TABLE = {"image": ["a", "b", "c"], "age": [20, 30, 40], "prediction": [21, 30, 43]}
FEW = fairage.AuditSettings(replicates=20, permutations=20)


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("name", PACKAGES)
def test_all_names_what_is_there_in_order(name: str) -> None:
    package = importlib.import_module(name)
    assert package.__all__ == sorted(package.__all__)
    assert all(hasattr(package, public) for public in package.__all__)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_only_re_exports(name: str) -> None:
    path = SOURCE.joinpath(*name.split(".")[1:], "__init__.py")
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    assert all(isinstance(n, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign) for n in nodes)


@pytest.mark.parametrize("first", ["import fairage", "from fairage.audit.gaps import score"])
def test_the_function_and_the_package_of_its_name_live_together(first: str) -> None:
    code = (
        f"{first}; import fairage; from fairage.audit.gaps import score; import fairage.audit.rows;"
        "from fairage.audit import bias, gaps; from fairage import audit;"
        f"print(audit is fairage.audit, len(fairage.audit({TABLE}).models), gaps.score is score)"
    )
    assert python(code) == "True 1 True"


def test_importing_costs_less_than_a_second_and_nothing_heavy() -> None:
    code = (
        "import sys, time; start = time.process_time(); import fairage;"
        "print(time.process_time() - start < 1, [m for m in ('torch', 'cv2', 'matplotlib', "
        "'sklearn', 'pandas', 'jinja2') if m in sys.modules])"
    )
    assert python(code) == "True []"


def test_training_does_not_wait_for_scikit_learn() -> None:
    code = (
        "import sys, fairage.experiments.suite; print('sklearn' in sys.modules);"
        "from fairage.training import FairAgeRegressor; print('sklearn' in sys.modules)"
    )
    assert python(code).split() == ["False", "True"]


@pytest.mark.parametrize("make", [dict, pl.DataFrame, pd.DataFrame])
def test_arrays_and_frames_are_audited_and_compared(make: type) -> None:
    table = make({**TABLE, "gender": ["f", "f", "m"]})
    found = fairage.audit(table, settings=FEW)
    expected = score(TABLE["age"], TABLE["prediction"], {"gender": ["f", "f", "m"]})
    assert found.models[0].attribute("gender").bias.value == expected.biases["gender"]
    told = fairage.compare(table, table, settings=FEW)
    for result in (found, told):
        assert result.to_dict()["fairage_version"]
        assert result.to_frame().height > 0
        assert result._repr_html_().startswith("<table>")
