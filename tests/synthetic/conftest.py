"""One small folder of synthetic faces that several tests read."""

from pathlib import Path

import pytest

from fairage.synthetic import GroupBias, synthesize

N = 210
BIASES = (GroupBias("ethnicity", "asian", cue=0.4),)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The faces table of 210 faces, asian ones with weaker age cues; tests must not change it."""
    return synthesize(tmp_path_factory.mktemp("drawn"), n=N, seed=3, biases=BIASES)
