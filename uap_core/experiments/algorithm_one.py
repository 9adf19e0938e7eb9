"""Algorithm 1 of the paper on universal perturbations, line by line: which line runs, on which image, and what it does to v.

Moosavi-Dezfooli, Fawzi, Fawzi & Frossard, CVPR 2017. ``crafting.deepfool_uap`` runs the same at full speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from uap_core.attacks.deepfool import cross_boundary
from uap_core.crafting.problem import predicted
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import DatasetError, SettingError
from uap_core.metrics import Rate, fooling_rate
from uap_core.models.classifier import Classifier
from uap_core.norms import Ball

START, WHILE, CHOOSE, SKIP, SMALLEST, PROJECT, RETURN = "start", "while", "choose", "skip", "smallest", "project", "return"
CANDIDATES, ITERATIONS = 10, 10  # of DeepFool: labels that it looks at, and steps


@dataclass(frozen=True)
class Moment:
    """One line of the algorithm as it runs.

    Args:
        line: START, WHILE, CHOOSE, SKIP, SMALLEST, PROJECT or RETURN.
        image: index of x in X; None between passes.
        v: the pattern (3,H,W) after the line.
        label: what the network says of x + v, or of x + v + dv; empty between passes.
        step: l2 norm of dv where it was found just now, else 0; units of [0,1].
        rate: Err(X + v) where it was measured just now.
        image_gradients: spent so far.
    """

    line: str
    image: int | None
    v: Tensor
    label: str = ""
    step: float = 0.0
    rate: Rate | None = None
    image_gradients: int = 0


def algorithm_one(
    classifier: Classifier, images: ImageSet, ball: Ball, delta: float = 0.2, passes: int = 3
) -> Iterator[Moment]:
    """Run Algorithm 1 on ``images`` in their order, every pass, and tell of each line; ends after ``passes`` at most.

    Raises DatasetError without images, SettingError for a ball of no size, a delta outside 0 to 1, or no passes.
    """
    if not len(images):
        raise DatasetError("There are no images to craft on.")
    if not ball.radius or not 0 <= delta < 1 or passes < 1:
        raise SettingError("Algorithm 1 needs a radius above 0, a delta from 0 to below 1, and one pass at least.")
    pixels = images.pixels
    v, spent = torch.zeros(pixels.shape[1:]), 0
    clean = predicted(classifier, pixels, v)
    yield Moment(START, None, v)
    for _pass in range(passes + 1):
        rate = fooling_rate(clean, predicted(classifier, pixels, v))
        yield Moment(WHILE, None, v, rate=rate, image_gradients=spent)
        if rate.value > 1 - delta or _pass == passes:
            break
        for number in range(len(images)):
            now = int(predicted(classifier, pixels[number : number + 1], v))
            fooled = now != int(clean[number])
            yield Moment(SKIP if fooled else CHOOSE, number, v, classifier.labels[now], image_gradients=spent)
            if fooled:
                continue
            x = images.images(slice(number, number + 1)) + v
            found = cross_boundary(lambda x: classifier(x.clamp(0, 1)), x, CANDIDATES, iterations=ITERATIONS)
            spent += int(found.backward_passes)
            dv, label = found.steps[0], classifier.labels[int(found.logits.argmax())]
            yield Moment(SMALLEST, number, v, label, float(dv.norm()), image_gradients=spent)
            if bool(found.crossed):
                v = ball.project(v + dv)
            now = int(predicted(classifier, pixels[number : number + 1], v))
            yield Moment(PROJECT, number, v, classifier.labels[now], image_gradients=spent)
    yield Moment(RETURN, None, v, image_gradients=spent)
