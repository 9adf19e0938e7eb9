"""The photograph under a pattern as the Apply tab shows and judges it, so that all tabs say the same numbers of it.

A network of 64 pixels is asked about the picture that is shown and saved, in full resolution and 8 bits, shrunken as any
photograph is: what it says of a 64-pixel sum of both is another number, of a picture that nobody sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uap_core.experiments.strengths import change_of, exhibit_of, picture_at
from uap_core.ui.tabs.apply.view import photograph

if TYPE_CHECKING:
    from uap_core.experiments.apply import Exhibit
    from uap_core.models.classifier import Classifier
    from uap_core.perturbations.perturbation import Perturbation


def seen_under(classifier: Classifier, photo: str, perturbation: Perturbation, strength: float | None = None) -> Exhibit:
    """``photo`` under ``perturbation``, at another ``strength`` (255ths) than its own where that is stated.

    Raises ImageError where there is no such photograph.
    """
    ball, shown = perturbation.ball, photograph(photo, classifier.card)
    change = change_of(perturbation.pattern.numpy().transpose(1, 2, 0) * 255.0, ball.p, ball.radius * 255)
    return exhibit_of(classifier, shown, picture_at(shown, change, ball.radius * 255 if strength is None else strength))
