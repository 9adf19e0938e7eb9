"""The same photograph attacked three ways: the universal pattern, FGSM, and targeted Carlini & Wagner."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, tensor

from uap_core.attacks.carlini_wagner import CarliniWagner
from uap_core.attacks.fgsm import FGSM
from uap_core.experiments.exhibit import Exhibit, compare_pictures, exhibit
from uap_core.models.classifier import Classifier
from uap_core.norms import LINF, Ball, quantise
from uap_core.perturbation import Perturbation

UNIVERSAL, FAST, CW = "Universal pattern", "FGSM", "Carlini & Wagner"


@dataclass(frozen=True)
class Contender:
    """One attack on one photograph. ``exhibit`` is measured on the 8-bit picture, so ``success`` survives saving.

    ``aim`` is what it was to do; ``share`` of the work is done; ``seconds`` is the time for this photograph alone.
    """

    attack: str
    aim: str
    exhibit: Exhibit
    success: bool
    seconds: float
    share: float = 1.0
    done: bool = True


def quick_contenders(classifier: Classifier, image: Tensor, perturbation: Perturbation) -> Iterator[Contender]:
    """The universal pattern and FGSM, which answer at once. ``image`` (1,3,S,S) on the 8-bit grid.

    FGSM gets the pattern's epsilon when that is l_inf, 10/255 otherwise.
    """
    started = time.perf_counter()
    shown = exhibit(classifier, image, perturbation)
    yield Contender(UNIVERSAL, "any other label", shown, shown.fooled, time.perf_counter() - started)

    epsilon = perturbation.ball.radius if perturbation.ball.p == LINF else 10 / 255
    clean = tensor([classifier.index_of(shown.before[0][0])])
    fast = FGSM(epsilon)(classifier, image, clean)
    shown = compare_pictures(classifier, image, quantise(image, fast.adversarial, Ball(LINF, epsilon)))
    yield Contender(FAST, "any other label", shown, shown.fooled, fast.seconds)


def compare(
    classifier: Classifier,
    image: Tensor,
    perturbation: Perturbation,
    target: int,
    carlini_wagner: CarliniWagner,
) -> Iterator[Contender]:
    """All three, each as it is ready, Carlini & Wagner's several times on its way to the class index ``target``.

    The smallest change found often dies when rounded to 8 bits; then the last one that survived rounding is the result.
    Raises SettingError when the target is already predicted.
    """
    yield from quick_contenders(classifier, image, perturbation)
    wanted = classifier.labels[target]
    survivor = None
    for result in carlini_wagner.stream(classifier, image, tensor([target])):
        shown = compare_pictures(classifier, image, quantise(image, result.adversarial))
        success = shown.after[0][0] == wanted
        if success:
            survivor = shown
        elif result.done and survivor:
            shown, success = survivor, True
        yield Contender(CW, f"“{wanted}”", shown, success, result.seconds, result.share, result.done)
