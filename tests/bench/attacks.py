"""Our single-image attacks beside three libraries: `python tests/bench/attacks.py --network resnet64`.

torchattacks, foolbox and the adversarial-robustness-toolbox ("toolbox") get the same network, images, labels and settings in
the same process; tests/bench/requirements.txt says how to install them. A library that is missing is left out.

What is printed: how many images are fooled and by how much in l2, as we find ourselves on the returned pictures clipped to
[0,1]; seconds until it is known which images are fooled, so a library that does not say so gets one more forward pass;
backward and forward passes an image, counted at the network. "l2, ours : theirs" compares medians over the images where both
succeed. Repetitions take turns: one of each, then the next of each. With one thread the seconds are the processor's, which do
not count what other processes take of it; with more they are those of the clock. Medians count, the lowest tell of noise.

Each library is called in the way that suits it best:
- Where a library takes a batch it gets all images at once. The toolbox's DeepFool and Carlini & Wagner get one at a time: in a
  batch they take the gradients of everybody's classes for everybody.
- torchattacks' DeepFool always looks at all classes. It sees a network narrowed to the image's 10 highest, one image at a time,
  which is how it works anyway.
- torchattacks' Carlini & Wagner has no search over c: c = 1 and as many iterations as all search steps together.

What to expect of them, torch 2.13: torchattacks' DeepFool stops short of the boundary by a rounding error on some images, and
uses up its iterations there; the toolbox's goes twice as far as the others. The toolbox's Carlini & Wagner takes minutes for a
few images and fools few in that time: --skip "toolbox:C&W l2" leaves it out.

With --targets only ours run: how far random targets are, and how large DeepFool's steps are relative to the picture.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # numpy's as well: the toolbox works with it

import numpy as np
import torch
from torch import Tensor, nn

from uap_core.attacks.base import Attack
from uap_core.attacks.bim import IterativeFGSM
from uap_core.attacks.cw_l2 import CarliniWagner
from uap_core.attacks.deepfool import DeepFool
from uap_core.attacks.fgsm import FGSM
from uap_core.datasets.image_sets import open_held_out
from uap_core.models.classifier import IMAGENET_MEAN, Classifier
from uap_core.models.zoo import Zoo

EPSILON, ALPHA, STEPS = 2 / 255, 0.5 / 255, 10
CANDIDATES, OVERSHOOT, ITERATIONS = 10, 0.02, 50
RATE, CONSTANT, SEARCH = 0.01, 1e-3, 9
METHODS = ("FGSM", "PGD", "DeepFool", "C&W l2")
DISTORTION = 1.02  # ours may be so many times the best of theirs
TIME = {"FGSM": 1.0, "PGD": 1.0, "DeepFool": 0.5, "C&W l2": 0.5}  # of the fastest correct one's
ALL_STEPS = "ours, all steps"


@dataclass(frozen=True)
class Task:
    """``images`` (N,3,H,W) in [0,1], the network's ``labels`` (N,) for them and random ``targets`` (N,) that are others."""

    classifier: Classifier
    images: Tensor
    labels: Tensor
    targets: Tensor
    cw_iterations: int = 100

    def fooled(self, method: str, x: Tensor) -> Tensor:
        """Where (N,) ``x`` is what ``method`` wanted: the target for C&W, else another label."""
        now = predicted(self.classifier, x)
        return now == self.targets if method == "C&W l2" else now != self.labels


Run = Callable[[], Tensor]


@dataclass
class Row:
    """What came of one library's ``method``; one entry of ``seconds`` a repetition. Passes are those of one image."""

    method: str
    name: str
    run: Run
    seconds: list[float] = field(default_factory=list)
    success: Tensor = field(default_factory=lambda: torch.zeros(0))
    l2: Tensor = field(default_factory=lambda: torch.zeros(0))
    linf: float = 0.0
    backward: float = 0.0
    forward: float = 0.0

    @property
    def fooled(self) -> int:
        """How many."""
        return int(self.success.sum())

    @property
    def time(self) -> float:
        """The median."""
        return median(self.seconds)


class Passes:
    """Counts images that pass through ``network``, forward and backward."""

    def __init__(self, network: nn.Module) -> None:
        self.forward = self.backward = 0
        network.register_forward_hook(self._went)

    def _went(self, network: nn.Module, inputs: object, logits: Tensor) -> None:
        self.forward += len(logits)
        if logits.requires_grad:
            logits.register_hook(self._came_back)

    def _came_back(self, slope: Tensor) -> None:
        self.backward += len(slope)


class Narrowed(nn.Module):
    """``network`` with the logits of ``classes`` alone."""

    def __init__(self, network: nn.Module, classes: Tensor) -> None:
        super().__init__()
        self.network, self.classes = network, classes

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)[:, self.classes]


def predicted(classifier: Classifier, x: Tensor, size: int = 10) -> Tensor:
    """Labels (N,) of ``x``, ``size`` at a time."""
    with torch.no_grad():
        return torch.cat([classifier(part).argmax(dim=1) for part in x.split(size)])


def pose(classifier: Classifier, images: Tensor, cw_iterations: int) -> Task:
    """Targets are drawn with seed 0 among the classes that the network does not see."""
    labels = predicted(classifier, images)
    count = len(classifier.labels)
    further = torch.randint(1, count, labels.shape, generator=torch.Generator().manual_seed(0))
    return Task(classifier, images, labels, (labels + further) % count, cw_iterations)


def of_us(task: Task) -> list[tuple[str, str, Run]]:
    """Name, method and what to run."""

    def run(attack: Attack, targeted: bool = False) -> Run:
        aims = task.targets if targeted else task.labels
        return lambda: attack(task.classifier, task.images, aims, targeted).adversarial

    return [
        ("ours", "FGSM", run(FGSM(EPSILON))),
        ("ours", "PGD", run(IterativeFGSM(EPSILON, ALPHA, STEPS))),
        (ALL_STEPS, "PGD", run(IterativeFGSM(EPSILON, ALPHA, STEPS, all_steps=True))),
        ("ours", "DeepFool", run(DeepFool("l2", CANDIDATES, OVERSHOOT, ITERATIONS))),
        ("ours", "C&W l2", run(CarliniWagner(), targeted=True)),
    ]


def of_foolbox(task: Task) -> list[tuple[str, str, Run]]:
    """It looks itself whom it has fooled."""
    import foolbox
    from foolbox import attacks
    from foolbox.criteria import Misclassification, TargetedMisclassification

    model = foolbox.PyTorchModel(task.classifier, bounds=(0, 1))
    away, towards = Misclassification(task.labels), TargetedMisclassification(task.targets)

    def run(attack: object, criterion: object, epsilon: float | None) -> Run:
        return lambda: attack(model, task.images, criterion, epsilons=epsilon)[1]  # type: ignore[operator]

    pgd = attacks.LinfProjectedGradientDescentAttack(abs_stepsize=ALPHA, steps=STEPS, random_start=False)
    deepfool = attacks.L2DeepFoolAttack(steps=ITERATIONS, candidates=CANDIDATES, overshoot=OVERSHOOT)
    cw = attacks.L2CarliniWagnerAttack(
        binary_search_steps=SEARCH, steps=task.cw_iterations, stepsize=RATE, confidence=0, initial_const=CONSTANT
    )
    return [
        ("foolbox", "FGSM", run(attacks.LinfFastGradientAttack(), away, EPSILON)),
        ("foolbox", "PGD", run(pgd, away, EPSILON)),
        ("foolbox", "DeepFool", run(deepfool, away, None)),
        ("foolbox", "C&W l2", run(cw, towards, None)),
    ]


def of_torchattacks(task: Task) -> list[tuple[str, str, Run]]:
    """It returns pictures, and does not say who is fooled."""
    import torchattacks

    network, images, labels = task.classifier, task.images, task.labels
    fgsm = torchattacks.FGSM(network, eps=EPSILON)
    pgd = torchattacks.PGD(network, eps=EPSILON, alpha=ALPHA, steps=STEPS, random_start=False)
    cw = torchattacks.CW(network, c=1, kappa=0, steps=SEARCH * task.cw_iterations, lr=RATE)
    cw.set_mode_targeted_by_label(quiet=True)

    def deepfool() -> Tensor:
        with torch.no_grad():
            highest = network(images).topk(CANDIDATES).indices
        first, found = torch.zeros(1, dtype=torch.long), []
        for image, classes in zip(images.split(1), highest, strict=True):
            attack = torchattacks.DeepFool(Narrowed(network, classes).eval(), steps=ITERATIONS, overshoot=OVERSHOOT)
            found.append(attack(image, first))
        return torch.cat(found)

    return [
        ("torchattacks", "FGSM", verified(network, lambda: fgsm(images, labels))),
        ("torchattacks", "PGD", verified(network, lambda: pgd(images, labels))),
        ("torchattacks", "DeepFool", verified(network, deepfool)),
        ("torchattacks", "C&W l2", verified(network, lambda: cw(images, task.targets))),
    ]


def of_toolbox(task: Task) -> list[tuple[str, str, Run]]:
    """It works with NumPy, and does not say who is fooled."""
    from art.attacks import evasion
    from art.estimators.classification import PyTorchClassifier

    network, count = task.classifier, len(task.images)
    estimator = PyTorchClassifier(
        network,
        nn.CrossEntropyLoss(),
        tuple(task.images.shape[1:]),
        len(network.labels),
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    fgsm = evasion.FastGradientMethod(estimator, eps=EPSILON, batch_size=count)
    pgd = evasion.ProjectedGradientDescent(
        estimator, eps=EPSILON, eps_step=ALPHA, max_iter=STEPS, batch_size=count, verbose=False
    )
    deepfool = evasion.DeepFool(estimator, max_iter=ITERATIONS, epsilon=OVERSHOOT, nb_grads=CANDIDATES, verbose=False)
    cw = evasion.CarliniL2Method(
        estimator,
        targeted=True,
        learning_rate=RATE,
        binary_search_steps=SEARCH,
        max_iter=task.cw_iterations,
        initial_const=CONSTANT,
        verbose=False,
    )

    def run(attack: object, aims: Tensor, at_once: int = count) -> Run:
        def generate() -> Tensor:
            parts = zip(task.images.split(at_once), aims.split(at_once), strict=True)
            made = [attack.generate(x.numpy(), y.numpy()) for x, y in parts]  # type: ignore[attr-defined]
            return torch.from_numpy(np.concatenate(made))

        return verified(network, generate)

    return [
        ("toolbox", "FGSM", run(fgsm, task.labels)),
        ("toolbox", "PGD", run(pgd, task.labels)),
        ("toolbox", "DeepFool", run(deepfool, task.labels, 1)),
        ("toolbox", "C&W l2", run(cw, task.targets, 1)),
    ]


def verified(network: nn.Module, run: Run) -> Run:
    """``run`` and the forward pass that says whom it has fooled."""

    def both() -> Tensor:
        x = run()
        with torch.inference_mode():
            network(x)
        return x

    return both


def contenders(task: Task, methods: list[str], skipped: list[str]) -> list[Row]:
    """By method, ours first. ``skipped`` are libraries, or like toolbox:PGD one method of theirs."""
    found: list[tuple[str, str, Run]] = []
    for enter in (of_us, of_foolbox, of_torchattacks, of_toolbox):
        try:
            found += enter(task)
        except ImportError as error:
            print(f"Left out: {enter.__name__[3:]} ({error}).")
    kept = [entry for entry in found if entry[0] not in skipped and f"{entry[0]}:{entry[1]}" not in skipped]
    return [Row(method, name, run) for wanted in methods for name, method, run in kept if method == wanted]


def measure(row: Row, task: Task, passes: Passes) -> None:
    """One repetition."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    passes.forward = passes.backward = 0
    started = clock()
    x = row.run()
    row.seconds.append(clock() - started)
    count = len(task.images)
    row.forward, row.backward = passes.forward / count, passes.backward / count
    x = x.detach().clamp(0, 1)
    row.success = task.fooled(row.method, x)
    change = (x - task.images).flatten(1)
    row.l2, row.linf = change.norm(dim=1), float(change[row.success].abs().max()) if row.fooled else 0.0


def distortion(row: Row, peer: Row) -> float:
    """The median l2 of ``row`` as a multiple of ``peer``'s, over the images where both succeed."""
    both = row.success & peer.success
    return float(row.l2[both].median() / peer.l2[both].median()) if bool(both.any()) else float("nan")


def notes(row: Row, ours: Row) -> str:
    """What keeps this row from being a fair comparison."""
    found = []
    if row.fooled < ours.fooled:
        found.append("incorrect: fools fewer")
    if row.method in ("FGSM", "PGD") and row.linf > EPSILON + 1e-6:
        found.append(f"leaves the ball: {255 * row.linf:.2f}/255")
    return ", ".join(found)


def print_table(rows: list[Row], count: int) -> None:
    """Markdown."""
    print("| attack | by | fooled | median l2 | l2, ours : theirs | seconds | lowest | times ours | backward | forward | |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|")
    for row in rows:
        ours = next(other for other in rows if other.method == row.method)
        l2 = float(row.l2[row.success].median()) if row.fooled else float("nan")
        ratio = "" if row is ours else f"{distortion(ours, row):.3f}"
        times = f"{row.time:.3f} | {min(row.seconds):.3f} | {row.time / ours.time:.2f}"
        passes = f"{row.backward:.1f} | {row.forward:.1f}"
        known = f"{row.fooled}/{count} | {l2:.4f} | {ratio}"
        print(f"| {row.method} | {row.name} | {known} | {times} | {passes} | {notes(row, ours)} |")


def verdict(ours: Row, peers: list[Row]) -> str:
    """Whether ``ours`` is as good as it must be: success, distortion, time."""
    best = max(peers, key=lambda row: row.fooled)
    success = ours.fooled >= best.fooled
    closest = max((row for row in peers if bool((row.success & ours.success).any())), key=lambda row: distortion(ours, row))
    ratio = distortion(ours, closest)
    correct = [row for row in peers if row.fooled >= ours.fooled]
    if ours.method not in ("FGSM", "PGD"):
        correct = [row for row in correct if distortion(ours, row) * DISTORTION >= 1]
    fastest = min(correct or peers, key=lambda row: row.time)
    share, allowed = ours.time / fastest.time, TIME[ours.method]
    kind = "correct one" if correct else "one (none is correct at this distortion)"
    met = "met" if success and ratio <= DISTORTION and share <= allowed else "NOT MET"
    if not correct and met == "NOT MET" and success and ratio <= DISTORTION:
        met = "open, give them more iterations"
    return (
        f"{met}: {ours.method}, {ours.name}: fools {ours.fooled}, theirs at most {best.fooled}; "
        f"l2 {ratio:.3f} times the best ({closest.name}); {share:.2f} of the time of the fastest {kind} ({fastest.name}), "
        f"{allowed} allowed ({min(ours.seconds) / min(fastest.seconds):.2f} of the lowest times)."
    )


def compare(task: Task, options: argparse.Namespace) -> None:
    """The table."""
    rows = contenders(task, options.attacks, options.skip)
    passes = Passes(task.classifier)
    FGSM(EPSILON)(task.classifier, task.images, task.labels)  # the first gradients of a process are slower
    wall, used = time.perf_counter(), time.process_time()
    for row in rows:
        measure(row, task, passes)
    for _ in range(options.rounds - 1):
        for row in rows:
            if row.method != "C&W l2":
                measure(row, task, passes)
    used, wall = time.process_time() - used, time.perf_counter() - wall
    print_table(rows, len(task.images))
    print(f"\nThe process had {used / wall:.2f} of a processor for {wall:.0f} s.")
    for method in options.attacks:
        own = [row for row in rows if row.method == method and row.name.startswith("ours")]
        peers = [row for row in rows if row.method == method and not row.name.startswith("ours")]
        for row in own if peers else []:
            print(verdict(row, peers))


def alone(task: Task, size: int) -> None:
    """Ours at random targets, and DeepFool's steps relative to the picture, ``size`` images at a time."""
    towards, away = [], []
    for part in torch.arange(len(task.images)).split(size):
        x = task.images[part]
        towards.append(CarliniWagner()(task.classifier, x, task.targets[part], targeted=True))
        away.append(DeepFool("l2", CANDIDATES, OVERSHOOT, ITERATIONS)(task.classifier, x, task.labels[part]))
    success = torch.cat([result.success for result in towards])
    l2 = torch.cat([result.l2 for result in towards])
    gradients = torch.cat([result.gradients for result in towards]).float().mean()
    print(
        f"C&W l2 at random targets: {int(success.sum())} of {len(success)}, median l2 {float(l2[success].median()):.4f} "
        f"({255 * float(l2[success].median()):.1f}/255), {gradients:.0f} gradients an image."
    )
    success = torch.cat([result.success for result in away])
    step = torch.cat([result.l2 for result in away])
    centred = task.images - torch.tensor(IMAGENET_MEAN)[:, None, None]
    print(f"DeepFool: {int(success.sum())} of {len(success)}, median l2 {float(step[success].median()):.4f}; mean ||r||/||x||")
    for scale, x in (("of pixels 0 to 255", task.images), ("of pixels less ImageNet's mean", centred)):
        share = (step / x.flatten(1).norm(dim=1))[success]
        print(f"    {scale}: {float(share.mean()):.2e}, median {float(share.median()):.2e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--network", default="resnet64")
    parser.add_argument("--count", type=int, help="images: 20, or 50 with --targets")
    parser.add_argument("--cw-iterations", type=int, default=100, help="of theirs, in each search step")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions of all but C&W")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--attacks", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--skip", nargs="+", default=[], help="libraries, or like 'toolbox:C&W l2' one attack of theirs")
    parser.add_argument("--targets", action="store_true", help="only ours, and only how far they have to go")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(options.threads)
    classifier = Zoo([ROOT / "tests" / "cards"]).load(options.network)
    card = classifier.card
    name, resize = ("tiny-imagenet-100.zip", 64) if card.input_size == 64 else ("imagenet-sample-800.zip", card.resize_size)
    held_out = open_held_out(options.shared / "data" / name, resize, card.input_size)
    count = options.count or (50 if options.targets else 20)
    images = held_out.shuffled(torch.Generator().manual_seed(0)).prefix(count).images(slice(None))
    task = pose(classifier, images, options.cw_iterations)
    print(f"{card.name}, {len(images)} images, {options.threads} threads, torch {torch.__version__}\n", flush=True)
    if options.targets:
        alone(task, size=10)
    else:
        compare(task, options)


if __name__ == "__main__":
    main()
