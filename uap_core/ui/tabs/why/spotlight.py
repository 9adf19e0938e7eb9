"""What the network looks at: a photograph before and after, bright where it speaks for the answer; and channels' pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from uap_core.errors import ImageError
from uap_core.experiments.class_map_rows import EXACT
from uap_core.i18n import _
from uap_core.images.reading import square
from uap_core.ui.widgets import picture_link

if TYPE_CHECKING:
    from uap_core.experiments.class_map_rows import MapRow
    from uap_core.experiments.feature_channels import ChannelRow

DARKEST = 0.18  # brightness of places that do not speak for the answer
SMALL = 96  # pixels of a channel's pictures


def spotlight(picture: np.ndarray, row: MapRow) -> np.ndarray:
    """A picture uint8 (S,S,3), dark but where the map of its answer is high; what speaks against it counts as nothing."""
    values = np.clip(np.asarray(row.values, dtype=np.float32).reshape(row.height, -1), 0, None)
    values = values / max(float(values.max()), 1e-9)
    size = (picture.shape[1], picture.shape[0])
    light = np.asarray(Image.fromarray(values, "F").resize(size, Image.Resampling.BICUBIC)).clip(0, 1)[..., None]
    return (picture * (DARKEST + (1 - DARKEST) * light)).round().astype(np.uint8)


def pair(before: np.ndarray, after: np.ndarray, rows: Sequence[MapRow], photo: str) -> str:
    """The photograph under both spotlights, with what the network says of each. ``rows`` are those of ``map_rows``."""
    figures = []
    for picture, row, words in zip((before, after), rows, (_("as it is"), _("with the pattern")), strict=True):
        alt = _("{photo}, {words}: bright where the network sees {label}").format(photo=photo, words=words, label=row.label)
        kind = "was" if row is rows[0] or row.label == rows[0].label else "now"
        figures.append(
            f'<figure><img alt="{escape(alt)}" src="{picture_link(spotlight(picture, row))}"><figcaption>{escape(words)}'
            f'<b class="{kind}">{escape(row.label)}</b><small>{row.probability:.0%}</small></figcaption></figure>'
        )
    return f'<div class="spots">{"".join(figures)}</div>'


def map_note(rows: Sequence[MapRow]) -> str:
    """How the light was found, in a sentence."""
    if rows[0].kind == EXACT:
        return _("Bright: the places that add most to the answer's score (class activation map; together they are the score).")
    return _("Bright: the places that raise the answer's score (Grad-CAM, since this network does not end with a mean).")


def channel_cards(rows: Sequence[ChannelRow], names: dict[str, str]) -> str:
    """A card a channel: how much more it is excited, and the pictures that excite it most. ``names`` are those of classes by
    their WordNet ids."""
    cards = []
    for row in rows:
        pictures = "".join(_thumbnail(name, names) for name in row.pictures)
        head = _("channel {number}").format(number=row.channel)
        grown = _("{before:.2g} → {after:.2g}").format(before=row.clean, after=row.pattern)
        noise = _("with noise {noise:.2g}").format(noise=row.random_signs)
        cards.append(
            f'<figure><div class="four">{pictures}</div><figcaption>{escape(head)}<b>{escape(grown)}</b>'
            f"<small>{escape(noise)}</small></figcaption></figure>"
        )
    return f'<div class="channels">{"".join(cards)}</div>'


def _thumbnail(name: str, names: dict[str, str]) -> str:
    from uap_core.experiments.shipped_pictures import class_folder

    pixels = _small(name)
    if pixels is None:
        return ""
    wnid = class_folder(name)
    words = _("class impression of {label}").format(label=names.get(wnid, wnid)) if wnid else _("sample photograph")
    return f'<img loading="lazy" alt="{escape(words)}" title="{escape(words)}" src="{picture_link(pixels)}">'


@lru_cache(maxsize=256)
def _small(name: str) -> np.ndarray | None:
    """A picture that ships, uint8 (SMALL,SMALL,3); None where it is no longer there."""
    from uap_core.experiments.shipped_pictures import open_shipped

    try:
        pixels = np.asarray(square(open_shipped(name), SMALL, SMALL))
    except ImageError:
        return None
    pixels.setflags(write=False)
    return pixels
