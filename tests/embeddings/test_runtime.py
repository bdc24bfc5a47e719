"""What networks run on: what is asked for, what is there, and what pays."""

import platform

import pytest
import torch

from fairage.embeddings import runtime as runtime_module
from fairage.embeddings.runtime import Runtime, bf16_speed_up, choose_runtime
from fairage.exceptions import ConfigError


def test_runtime_refuses_what_is_not_there() -> None:
    with pytest.raises(ConfigError, match="fp16"):
        choose_runtime("cpu", "fp16", batch_size=4, images=4)
    with pytest.raises(ConfigError, match="expected a device"):
        choose_runtime("quantum", "fp32", batch_size=4, images=4)
    with pytest.raises(ConfigError, match="batch size"):
        choose_runtime("cpu", "fp32", batch_size=0, images=4)


def test_small_jobs_and_machines_without_a_compiler_are_not_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CXX", "cat")  # any program that is there
    assert Runtime("cpu", "fp32", 64, 100_000).compiling_pays(1e9)
    assert not Runtime("cpu", "fp32", 64, 100).compiling_pays(1e9)
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert not Runtime("cpu", "fp32", 64, 100_000).compiling_pays(1e9)


@pytest.mark.parametrize(
    ("amx", "instructions", "speed_up", "precision"),
    [
        (True, True, 0.0, "bf16"),
        (False, True, 2.0, "bf16"),
        (False, True, 0.6, "fp32"),
        (False, False, 2.0, "fp32"),
    ],
)
def test_bf16_is_taken_where_it_is_faster(
    monkeypatch: pytest.MonkeyPatch,
    amx: bool,
    instructions: bool,
    speed_up: float,
    precision: str,
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: instructions)
    monkeypatch.setattr(runtime_module, "bf16_speed_up", lambda: speed_up)
    assert choose_runtime("cpu", "auto", batch_size=8, images=100).precision == precision


@pytest.mark.parametrize("machine", ["x86_64", "AMD64"])
def test_bf16_on_a_processor_without_it_is_warned_of_and_done(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    with pytest.warns(UserWarning, match="no instructions for bf16") as raised:
        assert choose_runtime("cpu", "bf16", batch_size=8, images=100).precision == "bf16"
    assert len(raised) == 1
    choose_runtime("cpu", "auto", batch_size=8, images=100)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    choose_runtime("cpu", "bf16", batch_size=8, images=100)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    choose_runtime("cpu", "bf16", batch_size=8, images=100)


def test_the_speed_up_is_a_ratio_of_times() -> None:
    assert 0 < bf16_speed_up() < 1000


def test_a_batch_grows_with_the_threads_and_shrinks_with_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    sizes = [choose_runtime("cpu", "fp32", batch_size=None, images=n).batch_size for n in (3, 999)]
    assert sizes == [4, 16]
    monkeypatch.setattr(torch, "get_num_threads", lambda: 100)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert choose_runtime("cpu", "bf16", batch_size=None, images=999).batch_size == 64
