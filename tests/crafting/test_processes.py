"""Two processes on one machine do what one does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from safetensors.torch import load_file

from uap_core.__main__ import app

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import torch
from pathlib import Path
from safetensors.torch import save_file
from toys import *
from uap_core.crafting.distributed import process_group
from uap_core.crafting.menu import method_class
from uap_core.crafting.spgd import SPGD
from uap_core.errors import SettingError
from uap_core.norms import Ball

torch.set_num_threads(1)
CASES = {cases!r}
with process_group() as (rank, size):
    found = {{}}
    for number, (name, settings, networks, ensemble) in enumerate(CASES):
        method = method_class(name)(**settings)
        crafted = [smooth_network(seed) for seed in range(networks)] or [convolutional_network()]
        for last in method.craft(crafted, pictures(15), Ball("linf", 0.15), seeded(0), ensemble=ensemble):
            pass
        counts = (last.step, last.image_gradients, last.fooling_rate.count, last.fooling_rate.total)
        found[f"{{number}}.v"], found[f"{{number}}.counts"] = last.perturbation, torch.tensor(counts)
    save_file(found, Path({out!r}) / f"{{size}}-{{rank}}.safetensors")
    if size > 1:  # and a run whose state the first alone finds on its disk
        state = Path({out!r}) / str(rank) / "run.state"
        run = lambda: SPGD(budget=80, batch_size=4, interval=20).craft(
            smooth_network(0), pictures(15), Ball("linf", 0.15), seeded(0), checkpoint=state
        )
        started = run()
        for _ in range(7):
            next(started)
        started.close()
        try:
            next(run())
        except SettingError as error:
            (state.parent / "sentence").parent.mkdir(parents=True, exist_ok=True)
            (state.parent / "sentence").write_text(str(error))
left = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]  # none where there is no /proc
assert not [name for name in left if "gloo" in name], left
"""
CASES = [
    ("default", {"budget": 120, "batch_size": 5}, 1, "mean"),
    ("spgd", {"budget": 120, "batch_size": 7}, 2, "mean"),
    ("margin", {"budget": 120, "batch_size": 6}, 2, "worst"),
    ("cosine", {"budget": 60, "batch_size": 1}, 1, "mean"),
    ("sga", {"budget": 120, "batch_size": 10, "mini_batch": 3, "passes": 2}, 1, "mean"),
    ("deepfool", {"passes": 2, "batch_size": 6}, 1, "mean"),
    ("singular", {"budget": 60, "batch_size": 15, "stride": 1}, 0, "mean"),
    ("activations", {"budget": 60, "batch_size": 5}, 1, "mean"),
    ("few_pictures", {"budget": 60, "batch_size": 5}, 1, "mean"),
]


def torchrun(words: list[str]) -> str:
    """What a program prints that runs in two processes on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port), *words]
    environment = {name: value for name, value in os.environ.items() if name != "WORLD_SIZE"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@dataclass(frozen=True)
class Results:
    """What one process found, and each of two; in ``out`` lies what these wrote."""

    out: Path
    found: list[dict[str, torch.Tensor]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The one process is this one: another would take seconds to start."""
    out, threads = tmp_path_factory.mktemp("processes"), torch.get_num_threads()
    code = WORKER.format(root=str(ROOT), tests=str(ROOT / "tests"), cases=CASES, out=str(out))
    try:
        exec(code, {})
    finally:
        torch.set_num_threads(threads)
    (out / "worker.py").write_text(code)
    torchrun([str(out / "worker.py")])
    return Results(out, [load_file(out / f"{name}.safetensors") for name in ("1-0", "2-0", "2-1")])


def test_machines_that_do_not_share_the_saved_state_say_so(results: Results) -> None:
    """Only the first saves; another that finds nothing on its own disk would begin anew, and mix up both runs."""
    sentences = {(results.out / str(rank) / "sentence").read_text() for rank in range(2)}
    assert len(sentences) == 1
    assert "start differently" in sentences.pop()


def few_of(dreams: Path, folder: Path) -> Path:
    """Nine pictures to craft on and nine held out."""
    with ZipFile(dreams) as archive:
        for split in ("craft/", "held_out/"):
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(split) and name[-1] != "/"][:9])
    return folder


def test_the_command_line_under_torchrun(tmp_path: Path, dreams: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same pattern from one process and from two, and one table printed."""
    craft = ["craft", "--budget", "48", "--data", str(few_of(dreams, tmp_path / "few")), "--out"]
    app([*craft, str(tmp_path / "1.safetensors")], standalone_mode=False)
    done = [capsys.readouterr().out, torchrun(["-m", "uap_core", *craft, str(tmp_path / "2.safetensors")])]
    one, two = (load_file(tmp_path / f"{processes}.safetensors")["pattern"] for processes in (1, 2))
    assert torch.isclose(one, two, rtol=1e-3, atol=1e-5).double().mean() > 0.95
    assert [text.count("random signs") for text in done] == [1, 1]


@pytest.mark.parametrize("case", range(len(CASES)), ids=[f"{name}-{ensemble}" for name, _, _, ensemble in CASES])
def test_two_processes_craft_what_one_does(results: Results, case: int) -> None:
    one, first, second = (result[f"{case}.v"] for result in results.found)
    assert torch.equal(first, second), "both hold the result"
    assert one.abs().max() > 0
    close = torch.isclose(one, first, rtol=1e-3, atol=1e-5).double().mean()
    assert close > 0.98, "the order of a sum may turn a sign where the slope is nearly zero"
    counts = [result[f"{case}.counts"] for result in results.found]
    assert torch.equal(counts[1], counts[2])
    assert torch.equal(counts[0][[0, 1, 3]], counts[1][[0, 1, 3]])
    assert (counts[0][2] - counts[1][2]).abs() <= 1
