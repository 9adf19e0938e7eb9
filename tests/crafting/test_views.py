from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from toys import seeded

from uap_core.crafting.default import Default, unlikely_and_turned
from uap_core.crafting.random_views import draw_views, seen
from uap_core.errors import SettingError


def view(side: float, across: float, down: float, mirror: bool = False) -> Tensor:
    return torch.tensor([[[-side if mirror else side, 0, across], [0, side, down]]], dtype=torch.float32)


@pytest.fixture(scope="module")
def picture() -> Tensor:
    return torch.rand(1, 3, 8, 8, generator=seeded(0))


def test_the_whole_picture_and_its_mirror_image(picture: Tensor) -> None:
    assert torch.equal(seen(picture, view(1, 0, 0)), picture)
    assert torch.equal(seen(picture, view(1, 0, 0, mirror=True)), picture.flip(3))


@pytest.mark.parametrize(("across", "down", "left", "top"), [(-0.5, -0.5, 0, 0), (0.5, -0.5, 4, 0), (0.25, 0.5, 3, 4)])
def test_a_part_is_cut_out_and_enlarged(picture: Tensor, across: float, down: float, left: int, top: int) -> None:
    """Half the side, so that places are whole pixels; enlarging is linear, as in torch's own resizing."""
    part = picture[:, :, top : top + 4, left : left + 4]
    expected = F.interpolate(part, scale_factor=2, mode="bilinear")
    found = seen(picture, view(0.5, across, down))
    # At the rim of the part, the picture goes on under the view and ends under torch's resizing.
    torch.testing.assert_close(found[:, :, 1:-1, 1:-1], expected[:, :, 1:-1, 1:-1])


@given(smallest=st.floats(0.05, 1), seed=st.integers(0, 1000))
def test_views_lie_within_the_picture(smallest: float, seed: int) -> None:
    views = draw_views(64, smallest, seeded(seed))
    sides = views[:, 1, 1]
    assert ((smallest - 1e-6 <= sides) & (sides <= 1)).all()
    assert torch.equal(views[:, 0, 0].abs(), sides)
    assert (views[:, :, 2].abs() <= 1 - sides[:, None] + 1e-6).all()
    assert not views[:, 0, 1].any()
    assert not views[:, 1, 0].any()


def test_views_are_drawn_evenly() -> None:
    views = draw_views(4000, 0.6, seeded(0))
    assert float(views[:, 1, 1].mean()) == pytest.approx(0.8, abs=0.01)
    assert float((views[:, 0, 0] < 0).float().mean()) == pytest.approx(0.5, abs=0.03)
    assert float(views[:, :, 2].mean()) == pytest.approx(0, abs=0.01)
    assert float((views[:, 0, 2] * views[:, 1, 2]).mean()) == pytest.approx(0, abs=0.005)


def test_each_image_gets_its_own_view(picture: Tensor) -> None:
    views = torch.cat([view(1, 0, 0), view(0.5, 0.5, 0.5)])
    together = seen(picture.repeat(2, 1, 1, 1), views)
    alone = torch.cat([seen(picture, views[:1]), seen(picture, views[1:])])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("smallest", [0.0, 1.1])
def test_an_impossible_smallest_view_is_refused(smallest: float) -> None:
    with pytest.raises(SettingError, match="smallest view"):
        Default(smallest_view=smallest)


def test_the_loss_scales_with_the_logits() -> None:
    """Ten times the logits, ten times the loss, once the clip is reached: no network's scale decides for another's."""
    clean = torch.randn(5, 40, generator=seeded(1))
    away = -30 * clean  # so unlikely that the clip holds
    torch.testing.assert_close(unlikely_and_turned(10 * clean, 10 * away), 10 * unlikely_and_turned(clean, away))
