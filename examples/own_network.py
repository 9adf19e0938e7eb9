"""Attack a network of your own and craft a perturbation for it: any torch module, any height and width.

The network here learns in a moment which quarter of a picture is brighter. Put yours in its place.
"""

import torch
from torch import nn

import uap_core

HEIGHT, WIDTH = 24, 40
QUARTERS = ("upper left", "upper right", "lower left", "lower right")


def pictures(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise (N,3,H,W) in [0,1] with one quarter a little brighter, and which one it is (N,)."""
    x, labels = torch.rand(count, 3, HEIGHT, WIDTH, generator=generator) * 0.6 + 0.1, torch.arange(count) % len(QUARTERS)
    for number, (down, across) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        rows = slice(down * HEIGHT // 2, (down + 1) * HEIGHT // 2)
        columns = slice(across * WIDTH // 2, (across + 1) * WIDTH // 2)
        x[labels == number, :, rows, columns] += 0.1
    return x, labels


def train(generator: torch.Generator) -> nn.Module:
    """A small convolutional network that takes pixels normalised with mean 0.45 and standard deviation 0.2."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 4)
    )
    optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(150):
        x, labels = pictures(64, generator)
        loss = nn.functional.cross_entropy(module((x - 0.45) / 0.2), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return module


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    module = train(generator)
    network = uap_core.wrap(module, mean=[0.45] * 3, std=[0.2] * 3, labels=QUARTERS, size=(HEIGHT, WIDTH))
    x, truth = pictures(200, generator)
    with torch.no_grad():
        print(f"accuracy {float((network(x).argmax(dim=1) == truth).float().mean()):.1%}")

    result = uap_core.attack(network, x, epsilon=0.1)  # PGD for each picture
    print(f"PGD, l_inf 0.1, fools {float(result.success.float().mean()):.1%}")

    v = uap_core.craft(network, pictures(100, generator)[0], epsilon=0.1, budget=1000)  # one pattern for all
    with torch.no_grad():
        fooled = network(uap_core.apply(x, v)).argmax(dim=1) != network(x).argmax(dim=1)
    print(f"one pattern {tuple(v.pattern.shape)}, l_inf 0.1, fools {float(fooled.float().mean()):.1%}")
    print("(of four classes as frequent as each other, 75 % is all that sending every picture into one of them can do)")


if __name__ == "__main__":
    main()
