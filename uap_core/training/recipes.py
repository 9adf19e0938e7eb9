"""How the embedded networks were trained: one recipe each."""

from __future__ import annotations

from dataclasses import replace

from uap_core.norms import of_levels
from uap_core.training.recipe import IMAGES, UNIVERSAL, Recipe
from uap_core.training.taught import TaughtRecipe

# What ships was made by these. All but the first see small crops only, which costs half as much to train and to use; each view
# was the best of several on training images.
RECIPES = {
    "resnet64": Recipe(),
    "vgg64": Recipe(epochs=28, mix_chance=0.0, small_size=32, small_share=0.5, large_size=48, view_size=48),
    "separable64": Recipe(epochs=36, mix_chance=0.2, small_share=1.0, view_size=60),
    "resnet64_robust": Recipe(
        epochs=15,
        peak_rate=0.06,
        mix_chance=0.0,
        small_share=1.0,
        view_size=0,
        epsilon=of_levels(4),
        alpha=0.0,
        start="resnet64",
    ),
    "vit64": TaughtRecipe(epochs=30, small_share=0.33, plain_share=0.24, view_size=56),
    # A pattern belongs to one size of picture.
    "resnet64_universal": Recipe(
        epochs=3,
        peak_rate=0.02,
        mix_chance=0.0,
        small_share=0.0,
        view_size=0,
        epsilon=of_levels(10),
        against=UNIVERSAL,
        start="resnet64",
    ),
}


def recipe_of(
    architecture: str, epochs: int | None, seed: int, epsilon: float, alpha: float | None, against: str = IMAGES
) -> Recipe:
    """The recipe of an ``architecture``, attacked when ``epsilon`` is above 0; None for its own ``epochs`` and ``alpha``."""
    own = RECIPES.get(architecture, Recipe())
    if epsilon:
        # Mixed pictures and attacked ones at once are more than a small network can learn; a pattern fits one size of crops.
        share = 0.0 if against == UNIVERSAL else own.small_share
        plain = replace(own, mix_chance=0.0, small_share=share)
        own = RECIPES.get(f"{architecture}_{'universal' if against == UNIVERSAL else 'robust'}", plain)
    alpha = own.alpha if alpha is None else alpha
    return replace(own, epochs=epochs or own.epochs, seed=seed, epsilon=epsilon, alpha=alpha, against=against)
