from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from toys import SIDE, convolutional_network, normalised_network, pictures, seeded, smooth_network

from uap_core.attacks.criterion import Criterion
from uap_core.crafting import problem as problem_room
from uap_core.crafting.base import Crafter, Progress, saturate
from uap_core.crafting.cos_uap import Cosine
from uap_core.crafting.deepfool_uap import DeepFoolUAP
from uap_core.crafting.default import Default
from uap_core.crafting.df_uap import Margin
from uap_core.crafting.menu import MENU as METHODS
from uap_core.crafting.menu import method_class
from uap_core.crafting.problem import Problem, clean_logits
from uap_core.crafting.sga import SGA
from uap_core.crafting.spgd import SPGD
from uap_core.crafting.state import State
from uap_core.crafting.sv_uap import Singular
from uap_core.errors import DatasetError, PerturbationError, SettingError
from uap_core.metrics import Rate
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

ROOT = Path(__file__).resolve().parents[2]
LINF = Ball("linf", 10 / 255)
METHOD = Default(budget=96, batch_size=4, interval=16)
RESUMABLE: dict[str, Crafter] = {
    "default": METHOD,
    "spgd": SPGD(budget=96, batch_size=5, interval=16),
    "sga": SGA(budget=480, batch_size=10, mini_batch=3, passes=2, momentum=0.9, interval=40),
    "deepfool": DeepFoolUAP(passes=3, delta=0.0, interval=10),
    "margin": Margin(budget=96, batch_size=4, interval=16),
    "cosine": Cosine(budget=96, batch_size=4, interval=16),
}


def run(method: Crafter, network: Classifier, count: int = 14, seed: int = 0, **more: object) -> list[Progress]:
    return list(method.craft(network, pictures(count), LINF, seeded(seed), **more))  # type: ignore[arg-type]


def same(a: Progress, b: Progress) -> bool:
    return torch.equal(a.perturbation, b.perturbation) and replace(a, seconds=0, perturbation=None) == replace(
        b, seconds=0, perturbation=None
    )


@pytest.mark.parametrize(("count", "batch", "per_step"), [(10, 4, 4), (3, 4, 3), (4, 4, 4)])
def test_image_gradients_are_counted(smooth: Classifier, count: int, batch: int, per_step: int) -> None:
    *steps, _, last = run(Default(budget=28, batch_size=batch), smooth, count)
    assert [progress.image_gradients for progress in steps] == [per_step * (k + 1) for k in range(7)]
    assert (last.step, last.image_gradients, last.done, last.share) == (7, 7 * per_step, True, 1)
    assert [progress.share for progress in steps] == pytest.approx([(k + 1) / 7 for k in range(7)])


def test_rates_are_those_of_the_pattern_that_comes_with_them(smooth: Classifier) -> None:
    images = pictures(14)
    steps = METHOD.craft(smooth, images, Ball("linf", 0.06), seeded(0), criterion=Criterion.into(3))
    measured = [progress for progress in steps if progress.fooling_rate]
    assert [p.image_gradients for p in measured] == [16, 32, 48, 64, 80, 96]
    assert len({p.fooling_rate for p in measured}) > 1
    for progress in measured:
        with torch.no_grad():
            before = smooth(images.float() / 255).argmax(dim=1)
            after = smooth((images.float() / 255 + progress.perturbation).clamp(0, 1)).argmax(dim=1)
        assert progress.fooling_rate == Rate(int((before != after).sum()), 14)


def test_nothing_is_measured_that_was_not_asked_for(smooth: Classifier) -> None:
    *steps, last = run(replace(METHOD, interval=0), smooth)
    assert all(p.fooling_rate is p.target_rate is None for p in steps)
    assert last.fooling_rate is not None
    assert last.target_rate is None


def test_delta_stops_early(smooth: Classifier) -> None:
    method = SPGD(budget=400, batch_size=4, interval=20, rate=0.3)
    whole, early = (list(replace(method, delta=d).craft(smooth, pictures(20), Ball("linf", 0.3), seeded(0))) for d in (0, 0.5))
    assert whole[-1].step == 100
    assert early[-1].step < 100
    assert early[-1].done
    measured = [progress.fooling_rate.value for progress in early[:-1] if progress.fooling_rate]
    assert measured[-1] >= 0.5
    assert all(value < 0.5 for value in measured[:-1])


def test_delta_with_a_target_means_the_target(smooth: Classifier) -> None:
    method = SPGD(budget=400, batch_size=4, interval=20, rate=0.3, delta=0.4)
    *steps, last = method.craft(smooth, pictures(20), Ball("linf", 0.3), seeded(0), criterion=Criterion.into(1))
    assert last.step < 100
    rates = [p.target_rate.value for p in steps if p.target_rate]
    assert rates[-1] >= 0.6
    assert all(value < 0.6 for value in rates[:-1])


@pytest.mark.parametrize("name", RESUMABLE)
@pytest.mark.parametrize("after", [1, 9, 20])
def test_resumed_equals_uninterrupted_bit_for_bit(smooth: Classifier, tmp_path: Path, name: str, after: int) -> None:
    whole = run(RESUMABLE[name], smooth)
    path = tmp_path / "new" / "run.state"
    stopped = RESUMABLE[name].craft(smooth, pictures(14), LINF, seeded(0), checkpoint=path)
    seen = [next(stopped) for _ in range(after)]
    stopped.close()
    saved = path.exists()
    rest = run(RESUMABLE[name], smooth, checkpoint=path)
    assert all(map(same, seen, whole))
    assert (len(rest) < len(whole)) == saved
    assert len(rest) >= len(whole) - after
    assert all(map(same, rest, whole[-len(rest) :]))
    assert same(rest[-1], whole[-1])


@pytest.mark.parametrize("after", [1, 3])
def test_power_iterations_are_resumed_too(tmp_path: Path, after: int) -> None:
    """On a network with feature maps, which this method looks at."""
    method, network, path = Singular(budget=96, batch_size=8, stride=1, interval=16), convolutional_network(), tmp_path / "run"

    def go() -> Iterator[Progress]:
        return method.craft(network, pictures(14), LINF, seeded(0), checkpoint=path)

    whole = list(method.craft(network, pictures(14), LINF, seeded(0)))
    stopped = go()
    assert all(map(same, [next(stopped) for _ in range(after)], whole))
    stopped.close()
    assert path.exists()
    rest = list(go())
    assert len(rest) < len(whole)
    assert all(map(same, rest, whole[-len(rest) :]))


def test_a_run_that_was_content_stays_so(smooth: Classifier, tmp_path: Path) -> None:
    method = SPGD(budget=400, batch_size=4, interval=20, rate=0.3, delta=0.5)
    first, again = (
        list(method.craft(smooth, pictures(20), Ball("linf", 0.3), seeded(0), checkpoint=tmp_path / "run")) for _ in range(2)
    )
    assert len(again) == 1
    assert same(first[-1], again[0])


@pytest.mark.parametrize(
    "change",
    [
        {"method": replace(METHOD, rate=0.5)},
        {"seed": 1},
        {"count": 15},
        {"criterion": Criterion.into(1)},
        {"network": smooth_network(1)},
    ],
    ids=["settings", "seed", "images", "criterion", "network"],
)
def test_another_run_is_not_continued(smooth: Classifier, tmp_path: Path, change: dict) -> None:
    path = tmp_path / "run"
    run(METHOD, smooth, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(PerturbationError, match="holds another run"):
        run(**({"method": METHOD, "network": smooth, "checkpoint": path} | change))
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x80\x04\x95"])
def test_a_broken_state_gets_a_sentence(smooth: Classifier, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run"
    path.write_bytes(content)
    with pytest.raises(PerturbationError, match="not the saved state"):
        run(METHOD, smooth, checkpoint=path)


WORKER = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from toys import *
from pathlib import Path
from uap_core.crafting.default import Default
from uap_core.norms import Ball
method = Default(budget=40000, batch_size=4, interval=16)
for _ in method.craft(smooth_network(0), pictures(14), Ball("linf", 10 / 255), seeded(0), checkpoint=Path({path!r})):
    pass
"""


def test_killed_in_the_middle_it_goes_on(smooth: Classifier, tmp_path: Path) -> None:
    """kill -9 at any moment leaves a whole state behind, and at most one interval is done again."""
    path = tmp_path / "run.state"
    method = Default(budget=40000, batch_size=4, interval=16)
    for _ in range(2):
        code = WORKER.format(root=str(ROOT), tests=str(ROOT / "tests"), path=str(path))
        with subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"OMP_NUM_THREADS": "1"}) as worker:
            waited = time.monotonic()
            before = path.stat().st_mtime_ns if path.exists() else 0
            while not path.exists() or path.stat().st_mtime_ns == before:
                assert worker.poll() is None
                assert time.monotonic() - waited < 60
                time.sleep(0.01)
            time.sleep(0.11)
            worker.send_signal(signal.SIGKILL)
        resumed = next(method.craft(smooth, pictures(14), LINF, seeded(0), checkpoint=path))
        assert resumed.step % 4 == 1, "saved after every fourth step, and the next one was taken"
        assert resumed.share < 1


def test_a_full_disk_gets_a_sentence(smooth: Classifier, tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk; the last whole state stays."""
    path = tmp_path / "run.state"
    steps = METHOD.craft(smooth, pictures(14), LINF, seeded(0), checkpoint=path)
    for _ in range(4):
        next(steps)
    before, limit = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(PerturbationError, match=r"could not be saved to 'run\.state': File too large\. Make room"):
            list(steps)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.state"]


def test_an_empty_set_is_refused(smooth: Classifier) -> None:
    with pytest.raises(DatasetError, match="no images"):
        run(METHOD, smooth, 0)


@pytest.mark.parametrize("name", ["budget", "batch_size"])
def test_settings_below_one_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="at least 1"):
        Default(**{name: 0})


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("spgd", {"interval": -1}),
        ("spgd", {"interval": 9, "delta": 1.0}),
        ("spgd", {"interval": 9, "delta": -0.1}),
        ("spgd", {"delta": 0.2}),
        ("default", {"start": 0.5}),
        ("default", {"shrinking": 0.0}),
        ("sga", {"mini_batch": 0}),
        ("sga", {"passes": 0}),
        ("deepfool", {"passes": 0}),
        ("deepfool", {"candidates": 1}),
        ("singular", {"stride": 0}),
        ("singular", {"q": 1.0}),
        ("activations", {"own": 1.5}),
        ("activations", {"exponent": -1.0}),
        ("activations", {"tiles": -1}),
        ("intrinsic", {"depth": 0.0}),
    ],
)
def test_settings_out_of_range_are_refused(name: str, setting: dict) -> None:
    with pytest.raises(SettingError):
        method_class(name)(**setting)


def test_the_end_of_a_run_is_saved_even_without_an_interval(smooth: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "run"
    whole = run(replace(METHOD, interval=0), smooth, checkpoint=path)
    *_, again = run(replace(METHOD, interval=0), smooth, checkpoint=path)
    assert same(again, whole[-1])


def test_a_place_where_nothing_can_be_saved_gets_a_sentence(smooth: Classifier, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(PerturbationError, match="could not be saved"):
        run(METHOD, smooth, checkpoint=tmp_path / "file" / "run.state")


def test_deepfool_measures_in_between_but_stops_after_a_pass(smooth: Classifier) -> None:
    method = DeepFoolUAP(delta=0.9, interval=5)
    *steps, last = method.craft(smooth, pictures(12), Ball("linf", 0.2), seeded(0))
    assert last.step == 12
    assert any(p.fooling_rate.value >= 0.1 for p in steps[:-1] if p.fooling_rate)


def test_saturating_never_costs_fooled_images(smooth: Classifier) -> None:
    for seed in range(6):
        problem = Problem.pose([smooth], pictures(50, seed), Ball("linf", 0.1))
        v = 0.1 * torch.rand(3, SIDE, SIDE, generator=seeded(seed)) - 0.05
        state = State(v, seeded(0))
        list(saturate(problem, state))
        assert problem.rate(state.pattern).count >= problem.rate(v).count


def test_a_pattern_that_is_better_unsaturated_is_kept(linear) -> None:
    """One pixel decides; pushing the many others, slightly against it, out to the surface undoes it."""
    values = 3 * SIDE * SIDE
    weight = torch.full((1, values), -1.0)
    weight[0, 0] = 50.0
    images = torch.full((5, 3, SIDE, SIDE), 128, dtype=torch.uint8)
    centre = float(weight.sum()) * 128 / 255
    network = linear(torch.cat([-weight, weight]), torch.tensor([centre + 0.5, -centre - 0.5]))
    problem = Problem.pose([network], images, Ball("linf", 0.04))
    v = torch.full((3, SIDE, SIDE), 1e-4)
    v[0, 0, 0] = 0.04
    assert problem.rate(v).value == 1
    assert problem.rate(Ball("linf", 0.04).fill(v)).value == 0
    state = State(v, seeded(0))
    list(saturate(problem, state))
    assert torch.equal(state.pattern, v)


def test_leaves_the_network_alone() -> None:
    network = normalised_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    list(Default(budget=8, batch_size=4).craft(network, pictures(4), LINF, seeded(0)))
    assert any("running_mean" in name for name in before)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())


def test_progress_keeps_its_pattern(smooth: Classifier) -> None:
    """What was yielded must not change under the hands of whoever keeps it."""
    for method in RESUMABLE.values():
        kept = [(progress.perturbation, progress.perturbation.clone()) for progress in run(method, smooth)]
        assert all(torch.equal(mine, copy) for mine, copy in kept)


def test_the_threads_arithmetic_is_as_before(smooth: Classifier) -> None:
    """Flushing tiny numbers to zero is a mode of the whole thread: whoever gets a pattern must not get the mode."""
    tiny = torch.tensor(1e-40)
    for _ in METHOD.craft(smooth, pictures(4), LINF, seeded(0)):
        assert tiny * 0.5 > 0


def test_the_clean_predictions_are_computed_once(smooth: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    forward = Classifier.forward

    def counting(self: Classifier, images: torch.Tensor) -> torch.Tensor:
        nonlocal seen
        seen += len(images)
        return forward(self, images)

    monkeypatch.setattr(Classifier, "forward", counting)
    *_, last = SPGD(budget=40, batch_size=4).craft(smooth, pictures(14), LINF, seeded(0))
    assert seen == 14 + last.image_gradients + 14  # clean, steps, the final measurement


def test_all_methods_are_listed() -> None:
    assert next(iter(METHODS)) == "default"


def test_clean_logits_do_not_depend_on_how_they_are_batched(smooth: Classifier) -> None:
    images = pictures(300)
    torch.testing.assert_close(clean_logits(smooth, images), smooth(images.float() / 255))


def test_the_last_look_asks_nothing_twice(smooth: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours compares two patterns on all craft images; the rates of the one that it takes are known then."""
    asked = []
    predicted = problem_room.predicted
    monkeypatch.setattr(problem_room, "predicted", lambda *given: asked.append(given[2]) or predicted(*given))
    *_, last = Default(budget=16, batch_size=4).craft(smooth, pictures(12), LINF, seeded(0), criterion=Criterion.into(1))
    assert len(asked) == 2
    assert torch.equal(asked[1], last.perturbation) or torch.equal(asked[0], last.perturbation)
    assert last.fooling_rate == Problem.pose([smooth], pictures(12), LINF).rate(last.perturbation)
    assert last.target_rate == Problem.pose([smooth], pictures(12), LINF, Criterion.into(1)).rate(last.perturbation)


def test_a_run_may_be_stopped_between_its_last_looks(smooth: Classifier) -> None:
    steps = list(Default(budget=16, batch_size=4).craft(smooth, pictures(12), LINF, seeded(0)))
    assert [p.share == 1 for p in steps] == [False] * 3 + [True] * 3
    assert [p.done for p in steps] == [False] * 5 + [True]


def test_algorithm_one_resumed_within_a_pass_ends_that_pass_before_it_looks_at_err(smooth: Classifier, tmp_path: Path) -> None:
    """Saved where enough images are fooled already: without a stop the run would end its pass first, and so it does."""
    method = DeepFoolUAP(batch_size=2, gain=20.0, interval=1, delta=0.5, iterations=3)

    def go(path: Path | None = None) -> Iterator[Progress]:
        return method.craft(smooth, pictures(14), Ball("linf", 0.3), seeded(0), checkpoint=path)

    whole = list(go())
    early = [p.step for p in whole[:-1] if p.step % 7 and p.fooling_rate and p.fooling_rate.value >= 0.5]
    assert early
    stopped, path = go(tmp_path / "run"), tmp_path / "run"
    assert [next(stopped).step for _ in range(early[0])][-1] == early[0]
    stopped.close()
    assert same(list(go(path))[-1], whole[-1])
