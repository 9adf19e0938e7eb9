"""Szegedy's attack: minimise c ||r||^2 + loss(x + r, t) with x + r in [0,1] by box-constrained L-BFGS, a line search over c.

(Szegedy et al., "Intriguing properties of neural networks", ICLR 2014, section 4.1; the norm is squared, as in all codes,
and the constant multiplies the loss here, as in the other attacks.) SciPy's L-BFGS-B does the minimising.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from uap_core.attacks.base import Attack, check_counts
from uap_core.attacks.first_c import boundary_guess
from uap_core.attacks.least_c import ScaleSearch
from uap_core.attacks.menu import register_attack
from uap_core.attacks.pixels import l2_norm, squared_l2
from uap_core.attacks.run import AttackRun


@register_attack(
    "lbfgs",
    "L-BFGS",
    "Szegedy et al., 2014",
    norm="l2",
    bounded=False,
    place=80,
    chosen=True,
    build=lambda wanted: LBFGS(search_steps=6 * wanted.more, iterations=10 * wanted.more),
)
@dataclass(frozen=True)
class LBFGS(Attack):
    """Minimise ||r||_2^2 + c loss(x + r, t) with x + r in [0,1], for the least c that works. Targeted only, image by image.

    Szegedy et al., "Intriguing properties of neural networks", ICLR 2014, section 4.1. SciPy counts its looks at the network
    only after a line search, which may take 20 more.

    Args:
        search_steps: values of c.
        iterations: looks at the network for each, about; a gradient each.

    Raises:
        SettingError: a number below 1.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> x = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "held_out", 64, 64, limit=2).images()
        >>> result = uap_core.attack(network, x, method=uap_core.LBFGS(2, 10), target=3)
        >>> bool(result.success.any())
        True
    """

    key: ClassVar[str] = "lbfgs"
    targeted_only: ClassVar[bool] = True

    search_steps: int = 4
    iterations: int = 25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(search_steps=self.search_steps, iterations=self.iterations)

    def perturb(self, run: AttackRun, generator: torch.Generator) -> Iterator[float]:
        """See ``Attack.perturb``."""

        def loss(logits: Tensor, which: Tensor) -> Tensor:
            return F.cross_entropy(logits, run.criterion.y[which], reduction="none")

        guess = boundary_guess(run, loss)
        constants = ScaleSearch(guess.constant)
        for number in range(len(run.images)):
            which = run.all[number : number + 1]
            x = run.images[which]
            for step in range(self.search_steps):
                x, found = self._minimise(run, loss, x, constants.value[which], which)
                run.tried(constants.value[which], l2_norm(x - run.images[which]), found, which)
                constants.learn(found, which)
                x = x if bool(found) or not bool(run.success[which]) else run.adversarial[which]
                yield (number + (step + 1) / self.search_steps) / len(run.images)

    def _minimise(
        self, run: AttackRun, loss: Callable[[Tensor, Tensor], Tensor], start: Tensor, constant: Tensor, which: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The end of one descent from ``start`` (1,3,H,W), and whether it is a success (1,)."""
        from scipy.optimize import Bounds, minimize
        from threadpoolctl import threadpool_limits

        image = run.images[which]
        looks: dict[bytes, Tensor] = {}

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            x = torch.from_numpy(flat).to(image).view_as(image).requires_grad_(True)
            logits = run.logits(x, which)
            value = squared_l2(x - image) + constant * loss(logits, which)
            gradient = run.gradient(value, x, which)
            looks[flat.tobytes()] = run.offer(x.detach(), logits.detach(), l2_norm(x.detach() - image), which)
            return float(value.detach()), gradient.flatten().double().cpu().numpy()

        box = Bounds(np.zeros(image.numel()), np.ones(image.numel()))
        budget = {"maxfun": self.iterations, "maxiter": self.iterations, "ftol": 1e-5}
        first = start.flatten().double().cpu().numpy()
        # SciPy's threads keep spinning after each call, on cores that the network needs next: three times slower.
        with threadpool_limits(1, user_api="blas"):
            end = minimize(objective, first, jac=True, method="L-BFGS-B", bounds=box, options=budget)
        return torch.from_numpy(end.x).to(image).view_as(image).clamp(0, 1), looks[end.x.tobytes()]
