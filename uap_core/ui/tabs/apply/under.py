"""The photograph under a pattern as the Apply tab shows and judges it, so that all tabs say the same numbers of it.

A network of 64 pixels is asked about the picture that is shown and saved, in full resolution and 8 bits, shrunken as any
photograph is: what it says of a 64-pixel sum of both is another number, of a picture that nobody sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from uap_core.experiments.strengths import Change, as_taken, change_of, exhibit_of, picture_at
from uap_core.ui.tabs.apply.view import photograph

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.experiments.apply import Exhibit
    from uap_core.models.card import Card
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation


def seen_under(classifier: Classifier, photo: str, perturbation: Perturbation, strength: float | None = None) -> Exhibit:
    """``photo`` under ``perturbation``, at another ``strength`` (255ths) than its own where that is stated.

    Raises ImageError where there is no such photograph.
    """
    shown, change = photograph(photo, classifier.card), _change(perturbation)
    return exhibit_of(classifier, shown, picture_at(shown, change, change.radius if strength is None else strength))


def taken_under(card: Card, photo: str, perturbation: Perturbation, strengths: Sequence[float]) -> Tensor:
    """What a network gets of ``photo`` at each of the ``strengths`` (255ths), (n,3,S,S) in [0,1]: at 0 the photograph.

    Raises ImageError where there is no such photograph.
    """
    import torch

    from uap_core.images.eight_bits import from_bytes

    shown, change = photograph(photo, card), _change(perturbation)
    taken = [as_taken(picture_at(shown, change, strength), card) for strength in strengths]
    return from_bytes(torch.from_numpy(np.stack(taken)).permute(0, 3, 1, 2))


def _change(perturbation: Perturbation) -> Change:
    ball = perturbation.ball
    return change_of(perturbation.pattern.numpy().transpose(1, 2, 0) * 255.0, ball.p, ball.radius * 255)
