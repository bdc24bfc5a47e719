"""Damaged files of every kind: the same value or one error that names the file, nothing else.

A tenth of the inputs is read in each run of the tests, all with `FAIRAGE_FUZZ=1`, see `make fuzz`.
"""

import pytest
from tests.fuzz.harness import inputs_per_reader, run_part, table_of
from tests.fuzz.readers import READERS


@pytest.mark.parametrize("part", READERS)
def test_a_damaged_file_is_told_and_never_believed(part: str) -> None:
    per_reader = inputs_per_reader()
    outcomes = run_part(part, per_reader)
    print(table_of(outcomes))  # noqa: T201  # for who asks with -rP
    failures = [
        f"{each.kind}: {each.mutation} {each.detail}\n"
        f"    python -m tests.fuzz.harness {part!r} {each.reader!r} {each.seed}"
        for each in outcomes
        if each.is_failure
    ]
    assert not failures, f"{len(failures)} of {len(outcomes)} inputs:\n" + "\n".join(failures)
    assert len(outcomes) == per_reader * len(READERS[part])
