"""Every command where the world around it is bad: one line of error, or no error at all."""

import errno
import io
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairage._tables_io import write_table
from fairage._work import process_pool
from fairage.cli.app import main
from fairage.cli.terminal import Terminal, say
from fairage.exceptions import refusal

COMMAND = [sys.executable, "-m", "fairage"]
ODD = "a[1]*?{}#%~ \n-[!x]"
ROWS = 48
RUN = "--faces faces.parquet --backbone embedded --store store --workers 1 --min-rows 2"
WRITE = {
    "audit": "audit p.csv --out OUT",
    "compare": "compare p.csv p.parquet --out OUT",
    "check": "data check faces.parquet --out OUT/findings.csv",
    "prepare": "data prepare folder . --table faces.csv --out OUT/prepared.parquet",
    "preview": "data augment-preview faces.parquet --rows 2 --copies 1 --out OUT/sheet.png",
    "synthesize": "data synthesize --n 3 --workers 1 --out OUT",
    "weights": "weights faces.csv --weighting 1b --out OUT/weights.csv",
    "embed": "embed faces.parquet --backbone embedded --store OUT",
    "run": f"run recipe.yaml {RUN} --seeds 1 --out OUT",
    "tune": f"tune recipe.yaml {RUN} --trials 2 --space space.yaml --out OUT",
    "backbones": f"backbones --recipe recipe.yaml {RUN} --seeds 1 --out OUT",
}
"""Commands that write to OUT, on the files of `folder`."""
READ = {
    "audit": "audit IN",
    "audit join": "audit p.csv --join IN",
    "compare": "compare p.csv IN",
    "describe": "data describe IN",
    "check": "data check IN",
    "prepare": "data prepare folder IN --out prepared.csv",
    "prepare table": "data prepare folder . --table IN --out prepared.csv",
    "weights": "weights IN --weighting 1b",
    "embed": "embed IN --backbone embedded --store store",
    "backbone": "embed faces.parquet --backbone IN --store store",
    "detector": "embed faces.parquet --backbone embedded@aligned --detector IN --store store",
    "recipe": f"run IN {RUN} --seeds 1 --out out",
    "space": f"tune recipe.yaml {RUN} --trials 1 --space IN --out out",
}
"""Commands that read IN."""


def fill(folder: Path) -> Path:
    """Write pictures with odd names, the tables of them, a recipe and a space into a folder."""
    rng = np.random.default_rng(0)
    (folder / "im[0]*").mkdir(parents=True)
    names = [f"im[0]*/{number}?#{{}}%20.png" for number in range(ROWS)]
    ages = rng.uniform(5, 80, ROWS).round(1)
    for name, age in zip(names, ages, strict=True):
        picture = np.clip(rng.normal(2.5 * age, 20, (40, 40, 3)), 0, 255).astype(np.uint8)
        (folder / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    frame = pl.DataFrame(
        {
            "image": names,
            "age": ages,
            "split": [("train", "valid", "test")[row % 3] for row in range(ROWS)],
            "gender": rng.choice(["female", "male"], ROWS),
        }
    )
    for name in ("faces.parquet", "faces.csv"):
        write_table(frame, folder / name)
    for name in ("p.csv", "p.parquet"):
        write_table(frame.with_columns(prediction=pl.col("age") + 1), folder / name)
    (folder / "recipe.yaml").write_text(
        "experiment: mine\nversion: quick\ntraining: {epochs: 1, learning_rate: 1e-2}\n"
    )
    (folder / "space.yaml").write_text("weighting: {choices: [none, 1b]}\n")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("plain"))


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Caches of their own; what a command sets for its process is set back."""
    monkeypatch.setenv("FAIRAGE_CACHE", str(tmp_path / "cache"))
    handler, threads = signal.getsignal(signal.SIGTERM), torch.get_num_threads()
    yield
    signal.signal(signal.SIGTERM, handler)
    torch.set_num_threads(threads)


def fairage(
    line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **paths: object
) -> int | str | None:
    """Run a command in this process, in a folder; OUT and IN in it stand for paths."""
    words = line.split()
    for name, path in paths.items():
        words = [word.replace(name, str(path)) for word in words]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["fairage", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def check_one_line(code: int | str | None, error: str) -> None:
    assert code in (1, 2), error
    assert error.startswith("error: "), error
    assert error.count("\n") == 1, error


@pytest.mark.parametrize("command", WRITE)
def test_names_are_never_patterns(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = fill(tmp_path / ODD)
    code = fairage(WRITE[command], folder, monkeypatch, OUT=folder / f"o{ODD}")
    assert code in (0, None), capsys.readouterr().err
    assert any(path.is_file() for path in (folder / f"o{ODD}").rglob("*"))
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == [ODD]


@pytest.mark.parametrize("command", WRITE)
def test_a_disk_that_takes_no_more_is_one_line(
    command: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, limits[1]))
    try:
        code = fairage(WRITE[command], folder, monkeypatch, OUT=tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    check_one_line(code, capsys.readouterr().err)
    assert not list(tmp_path.rglob("*.partial*"))


@pytest.mark.parametrize("bad", ["file/x", "loop/x", f"{'n' * 300}/x", "broken/x", "/dev/null/x"])
@pytest.mark.parametrize("command", WRITE)
def test_a_place_that_cannot_be_written_is_one_line(
    command: str,
    bad: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("nowhere/at/all")
    check_one_line(
        fairage(WRITE[command], folder, monkeypatch, OUT=tmp_path / bad), capsys.readouterr().err
    )
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "bad",
    [
        *("folder", "file/x", "loop", "broken", "n" * 300, "/dev/null", "none", "empty", "zeros"),
        *("half.parquet", "flipped.parquet", "nested.json", "odd.json", "s\udcff"),
    ],
)
@pytest.mark.parametrize("command", READ)
def test_what_cannot_be_read_is_one_line(
    command: str,
    bad: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = (folder / "p.parquet").read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("age\n")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "empty").touch()
    (tmp_path / "zeros").write_bytes(bytes(5000))
    (tmp_path / "half.parquet").write_bytes(whole[: len(whole) // 2])
    end = len(whole) - 200
    (tmp_path / "flipped.parquet").write_bytes(whole[:end] + b"\xff" * 40 + whole[end + 40 :])
    (tmp_path / "nested.json").write_text("[" * 100_000)
    (tmp_path / "odd.json").write_text(f'{{"a": {"9" * 5000}, "b": [1, [2]], "c": "\\ud800"}}')
    check_one_line(
        fairage(READ[command], folder, monkeypatch, IN=tmp_path / bad), capsys.readouterr().err
    )


@pytest.mark.parametrize("name", ["''", ".", "-", "out.xlsx"])
def test_a_table_that_cannot_be_written_so_is_refused_at_once(
    name: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = WRITE["prepare"].replace("OUT/prepared.parquet", "OUT")
    check_one_line(fairage(line, folder, monkeypatch, OUT=name.strip("'")), capsys.readouterr().err)


def test_a_pipe_that_nobody_writes_to_is_an_error_and_one_with_a_writer_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fairage._tables_io._WAIT_SECONDS", 0.1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_one_line(fairage(f"audit {pipe}", tmp_path, monkeypatch), capsys.readouterr().err)
    writer = f"import time; f = open({str(pipe)!r}, 'w'); time.sleep(0.5); f.write({TABLE!r})"
    monkeypatch.setattr("fairage._tables_io._WAIT_SECONDS", 60.0)
    with subprocess.Popen([sys.executable, "-c", writer]):
        assert fairage(f"audit {pipe}", tmp_path, monkeypatch) in (0, None)


TABLE = "image,age,prediction,gender\n" + "".join(
    f"{row},{20 + row % 50},{22 + row % 47},{'fm'[row % 2]}\n" for row in range(200)
)


@pytest.mark.parametrize("value", ["1e160", "inf", "-inf", "1e308", "-1e308", "1e400", "9" * 400])
@pytest.mark.parametrize("column", ["age", "prediction"])
def test_numbers_beyond_all_ages_neither_warn_nor_crash(
    value: str,
    column: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    age, estimate = (value, "30") if column == "age" else ("30", value)
    (tmp_path / "a.csv").write_text(f"{TABLE}x,{age},{estimate},f\n")
    code = fairage("audit a.csv --out out", tmp_path, monkeypatch)
    told = capsys.readouterr()
    if code in (0, None):
        assert not re.search(r"\b(nan|inf)\b", told.out)
    else:
        check_one_line(code, told.err)


def shell(line: str, folder: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, in which $FAIRAGE is the command itself."""
    environment = {
        **os.environ,
        "FAIRAGE": " ".join(COMMAND),
        "FAIRAGE_CACHE": str(folder / "cache"),
        "PYTHONWARNINGS": "error",
        **options,
    }
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment,  # type: ignore[arg-type]  # texts
        capture_output=True,
        check=False,
        encoding="latin-1",
        timeout=120,
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("$FAIRAGE audit p.csv | true", 0, ""),
        ("$FAIRAGE audit p.csv >&-", 0, ""),
        ("$FAIRAGE audit p.csv 2>&-", 0, ""),
        ("$FAIRAGE audit none.csv 2>&-", 2, ""),
        ("$FAIRAGE audit none.csv 2>/dev/full", 2, ""),
        ("$FAIRAGE audit p.csv >/dev/full", 1, "error: expected room on the disk"),
        ("$FAIRAGE --help >/dev/full", 1, "error: expected room on the disk"),
        ("$FAIRAGE audit p.csv --json >/dev/full", 1, "error: expected room on the disk"),
        ("env -u HOME $FAIRAGE weights faces.csv --weighting 1b", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(line: str, code: int, said: str, folder: Path) -> None:
    done = shell(line, folder)
    assert (done.returncode, done.stderr[: len(said)]) == (code, said), done.stderr
    assert done.stderr.count("\n") == bool(said), done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_names_go_to_every_encoding(encoding: str, tmp_path: Path) -> None:
    lines = TABLE.replace(",f\n", ",Ωmega [/b] \N{PILE OF POO}\n").replace("gender", "ge[b]nder")
    (tmp_path / "ärger-ω.csv").write_text(lines, encoding="utf-8")
    audit = "$FAIRAGE audit ärger-ω.csv --attribute 'ge[b]nder' --out out-ω"
    for command in (f"{audit} && $FAIRAGE data describe ärger-ω.csv", "$FAIRAGE audit --help"):
        done = shell(command, tmp_path, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, "")
        assert "mega [/b]" in done.stdout or "--help" in command
    assert "Ωmega" in (tmp_path / "out-ω" / "audit.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        ("synthesize", signal.SIGTERM),
        ("embed", signal.SIGTERM),
        ("run", signal.SIGTERM),
        ("tune", signal.SIGTERM),
        ("tune", signal.SIGINT),
    ],
)
def test_a_command_that_is_stopped_says_how_to_go_on(
    command: str, sign: signal.Signals, folder: Path, tmp_path: Path
) -> None:
    line = WRITE[command].replace("OUT", str(tmp_path / "out"))
    line = line.replace("--n 3", "--n 100000").replace("--trials 2", "--trials 100000")
    line = line.replace("--seeds 1", "--seeds 10000").replace("--store store", f"--store {folder}")
    if command == "embed":
        big = pl.concat([pl.read_parquet(folder / "faces.parquet")] * 2000)
        paths = pl.lit(f"{folder}/") + pl.col("image")
        write_table(big.with_columns(image=paths), tmp_path / "big.parquet")
        line = line.replace("faces.parquet", str(tmp_path / "big.parquet"))
    with subprocess.Popen(
        [*COMMAND, *line.split()],
        cwd=folder,
        env={**os.environ, "FAIRAGE_CACHE": str(tmp_path / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        until = time.monotonic() + 60
        while not (tmp_path / "out").exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert running.poll() is None, running.communicate()
        running.send_signal(sign)
        _, error = running.communicate(timeout=60)
    assert running.returncode == 130, error
    *notes, last = error.splitlines()
    assert last.startswith("error: stopped; to go on, run: fairage "), error
    assert all(note.startswith("note: ") for note in notes), error


def leave() -> None:
    os._exit(9)


def nothing() -> None:
    """Prepare no worker."""


def test_a_worker_that_was_killed_asks_for_fewer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        with process_pool(1, nothing) as pool:
            pool.submit(leave).result()

    monkeypatch.setattr("fairage.synthetic.synthesize", broken)
    code = fairage(f"data synthesize --out {tmp_path}", tmp_path, monkeypatch)
    error = capsys.readouterr().err
    check_one_line(code, error)
    assert "give fewer --workers" in error


@pytest.mark.parametrize(
    "raised",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        *(OSError(code, os.strerror(code), "a\x1b[2Jb") for code in errno.errorcode),
        OSError("1000 requested and 109 written"),
        UnicodeEncodeError("utf-8", "a\udcff", 1, 2, "surrogates not allowed"),
    ],
    ids=repr,
)
def test_what_the_system_refuses_is_one_line(
    raised: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("fairage.synthetic.synthesize", refused)
    code = fairage(f"data synthesize --out {tmp_path}", tmp_path, monkeypatch)
    error = capsys.readouterr().err
    if isinstance(raised, BrokenPipeError):
        assert (code, error) == (1, "")
        return
    check_one_line(code, error)
    assert error[:-1].isprintable()


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EACCES, 1), (errno.ENOSPC, 1), (errno.EEXIST, 2), (errno.ENOENT, 2)]
)
def test_a_refusal_is_no_mistake_of_the_user(
    number: int,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refused)
    line = f"data synthesize --n 1 --workers 1 --out {tmp_path / 'a' / 'b'}"
    assert fairage(line, tmp_path, monkeypatch) == code
    assert os.strerror(number) in capsys.readouterr().err


def test_a_refusal_names_the_file_and_what_to_do() -> None:
    text = refusal(OSError(errno.ENOSPC, "No space left on device", "a.csv"))
    assert "'a.csv' (No space left on device), free some" in text


def printed(write: object) -> str:
    """Return what is printed while a function runs."""
    before, sys.stdout = sys.stdout, io.StringIO()
    try:
        write()  # type: ignore[operator]  # a function
        return sys.stdout.getvalue()
    finally:
        sys.stdout = before


TEXTS = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["[/b]", "[unknown]", "[bold]", "[link=x]", ":smile:", "\x1b[2J", "\x9b2J", "\u202e", "\u2066"]
)


@given(TEXTS, TEXTS)
def test_nothing_that_is_printed_is_obeyed(one: str, two: str) -> None:
    text = printed(lambda: say(one)) + printed(lambda: Terminal().line(two, style="bold"))
    text += printed(lambda: Terminal().table([one, two], [[two, one]], title=one))
    assert all(letter.isprintable() or letter in "\n\u202f" or letter.isspace() for letter in text)
    assert not set(text) & set("\x1b\x9b\x07\x08\r\u202e\u2066")


@pytest.mark.parametrize("name", ["[/b]", "[unknown]", "[bold]x[/bold]", ":smile:", r"\[x]"])
def test_names_like_markup_are_printed_as_they_are(name: str) -> None:
    assert name in printed(lambda: say(name))
    assert name in printed(lambda: Terminal().table([name], [], title="x"))
    assert name in printed(lambda: Terminal().table(["x"], [[name]]))
    assert name in printed(lambda: Terminal().table(["x"], [], title=name))


def test_only_the_terminal_prints() -> None:
    source = Path(__file__).parents[2] / "src" / "fairage"
    own = {"cli/terminal.py", "_work.py"}
    rich = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if "from rich" in path.read_text(encoding="utf-8")
    }
    assert rich == own
