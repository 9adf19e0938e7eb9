"""The channels that a pattern switches on in the last convolution block, and the pictures that excite them most.

The idea of showing them is that of Bluff (Das et al., 2020); which channels is told by the rise of their mean activation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from uap_core.datasets.image_sets import ImageSet
    from uap_core.experiments.feature_passes import Felt, Passes
    from uap_core.models.classifier import Classifier

CHANNELS, PICTURES = 5, 4


@dataclass(frozen=True)
class ChannelRow:
    """The mean activation of a ``channel`` over photographs and their places: ``clean``, under the ``pattern``, under
    ``random_signs`` of the same norm. ``share`` of the photographs excite it more under the pattern than without.

    ``pictures`` of ``shown`` excite it most, the most exciting first; ``excited`` is the mean activation by each.
    """

    channel: int
    clean: float
    pattern: float
    random_signs: float
    share: float
    shown: str
    pictures: list[str]
    excited: list[float]

    @property
    def rise(self) -> float:
        """What the pattern adds."""
        return self.pattern - self.clean


def channel_rows(
    classifier: Classifier, passes: Passes, shown: ImageSet, channels: int = CHANNELS, pictures: int = PICTURES
) -> list[ChannelRow]:
    """The ``channels`` that rise most over the photographs of ``passes``, and the pictures of ``shown`` that excite each most.

    Raises SettingError for a network without feature maps near its end.
    """
    clean, under, noisy = (_channels(classifier, felt) for felt in (passes.clean, passes.under, passes.noise))
    offered, rise = excitement(classifier, shown), (under - clean).mean(dim=0)
    rows = []
    for channel in rise.topk(min(channels, len(rise))).indices.tolist():
        best = offered[:, channel].topk(min(pictures, len(offered)))
        means = [round(float(values[:, channel].mean()), 4) for values in (clean, under, noisy)]
        rows.append(
            ChannelRow(
                channel=channel,
                clean=means[0],
                pattern=means[1],
                random_signs=means[2],
                share=round(float((under[:, channel] > clean[:, channel]).float().mean()), 4),
                shown=shown.name,
                pictures=[shown.files[place] for place in best.indices.tolist()],
                excited=[round(float(value), 4) for value in best.values],
            )
        )
    return rows


def excitement(classifier: Classifier, images: ImageSet) -> Tensor:
    """Means over all places of the last feature maps (N,D) of ``images``. Raises SettingError where there are no maps."""
    import torch

    from uap_core.experiments.feature_passes import felt

    return torch.cat([_channels(classifier, felt(classifier, batch)) for batch in images.batches(32)])


def _channels(classifier: Classifier, felt: Felt) -> Tensor:
    from uap_core.errors import SettingError

    if felt.channels is None:
        raise SettingError(f"{classifier.card.name} has no feature maps near its end, so no channels can be told apart.")
    return felt.channels
