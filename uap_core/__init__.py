"""Universal adversarial perturbations: craft, load, apply and measure them.

The public names are found on first use, so ``import uap_core`` costs nothing and torch comes with the first call that
needs it:

    classifier = load_model("resnet64")
    v = load_perturbation("assets/perturbations/resnet64-linf10.safetensors")
    evaluate(classifier, v, open_image_set("photos.zip", None, 64, 64), torch.Generator().manual_seed(0))
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Ball": "norms",
    "CarliniWagner": "attacks.carlini_wagner",
    "CarliniWagnerL0": "attacks.carlini_wagner_l0",
    "CarliniWagnerLinf": "attacks.carlini_wagner_linf",
    "DeepFool": "attacks.deepfool",
    "Default": "crafting.default",
    "FGSM": "attacks.fgsm",
    "Hinge": "attacks.hinge",
    "IterativeFGSM": "attacks.iterative_fgsm",
    "LBFGS": "attacks.lbfgs",
    "Penalty": "attacks.penalty",
    "Perturbation": "perturbation",
    "Square": "attacks.square",
    "Zoo": "models.zoo",
    "compare": "experiments.comparison",
    "epsilon_sweep": "experiments.sweep",
    "evaluate": "experiments.evaluation",
    "load_model": "models.zoo",
    "load_perturbation": "perturbation",
    "open_image": "images",
    "open_image_set": "datasets",
    "preprocess": "images",
    "sample_curve": "experiments.sample_curve",
    "save_perturbation": "perturbation",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
