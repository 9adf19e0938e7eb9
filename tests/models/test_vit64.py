"""The embedded vision transformer by what the paper says of it; nothing here needs trained weights."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from uap_core.models.architectures.vit64 import GRID, HEADS, D, ViT64, attention
from uap_core.models.fusion import fold_batch_norm


@pytest.fixture(scope="module")
def network() -> ViT64:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ViT64(10).eval()


def images(count: int = 2, side: int = 64) -> Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(side))


def test_an_image_becomes_a_token_a_patch(network: ViT64) -> None:
    assert network.tokens(images()).shape == (2, GRID * GRID, D)
    assert network(images()).shape == (2, 10)
    assert network.tokens(images(1, 48)).shape == (1, 36, D)  # other sizes see stretched positions


def test_each_token_shares_out_all_of_its_attention(network: ViT64) -> None:
    z = network.blocks[0].norm1(network.tokens(images()))
    q, k, v = network.blocks[0].attention.heads(z)
    shares = attention(q, k)
    assert shares.shape == (2, HEADS, 64, 64)
    torch.testing.assert_close(shares.sum(dim=-1), torch.ones(2, HEADS, 64))
    expected = torch.softmax(torch.einsum("nhid,nhjd->nhij", q, k) / (D / HEADS) ** 0.5, dim=-1)
    torch.testing.assert_close(shares, expected)
    theirs = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    torch.testing.assert_close(
        network.blocks[0].attention(z), network.blocks[0].attention.project(theirs), rtol=1e-4, atol=1e-5
    )


def test_without_positions_the_order_of_the_tokens_means_nothing(network: ViT64) -> None:
    """Only positions tell a transformer where a patch lies: without them the mean over all tokens forgets their order."""
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))

    def read(z: Tensor) -> Tensor:
        return network.head(network.norm(network.blocks(z)).mean(dim=1))

    with torch.no_grad():
        z = network.patches(images()).flatten(2).transpose(1, 2)
        torch.testing.assert_close(read(z[:, order]), read(z), rtol=1e-3, atol=1e-5)
        where = network.positions.flatten(2).transpose(1, 2)
        torch.testing.assert_close(read(z + where), network(images()), rtol=1e-3, atol=1e-5)
        assert (read(z[:, order] + where) - read(z + where)).abs().max() > 1e-4


def test_the_gradient_reaches_every_pixel(network: ViT64) -> None:
    x = images(1).requires_grad_()
    network(x)[0, 3].backward()
    assert x.grad is not None
    assert (x.grad != 0).float().mean() > 0.99


def test_the_gradient_is_the_slope(network: ViT64) -> None:
    exact, x = copy.deepcopy(network).double(), images(1, 16).double()
    way = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    moved = x.clone().requires_grad_()
    exact(moved)[0, 0].backward()
    step = 1e-6
    with torch.no_grad():
        slope = (exact(x + step * way) - exact(x - step * way))[0, 0] / (2 * step)
    assert moved.grad is not None
    assert float((moved.grad * way).sum()) == pytest.approx(float(slope), rel=1e-4)


def test_the_seed_decides_on_the_first_weights() -> None:
    made = []
    for seed in (5, 5, 6):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made.append(ViT64(3).state_dict())
    assert all(torch.equal(value, made[1][name]) for name, value in made[0].items())
    assert not torch.equal(made[0]["positions"], made[2]["positions"])


def test_its_stem_folds_and_its_weights_fit_in_five_megabytes(network: ViT64) -> None:
    lived_in = copy.deepcopy(network)
    for layer in lived_in.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    folded = fold_batch_norm(copy.deepcopy(lived_in))
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded.modules())
    with torch.no_grad():
        torch.testing.assert_close(folded(images()), lived_in(images()), rtol=1e-3, atol=1e-4)
    assert 2 * sum(value.numel() for value in ViT64(100).state_dict().values()) < 5_000_000
