"""The two calls that most programs need: craft one pattern for many images, attack each of some images."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from uap_core.attacks.base import Attack
from uap_core.attacks.criterion import Criterion
from uap_core.attacks.menu import MENU as ATTACKS
from uap_core.attacks.result import AttackResult
from uap_core.checks import check_type, check_whole
from uap_core.crafting.base import Crafter
from uap_core.crafting.menu import build
from uap_core.datasets.image_sets import ImageSet
from uap_core.errors import SettingError
from uap_core.experiments.provenance import with_provenance
from uap_core.images.batches import check_shape, check_tensor
from uap_core.models.classifier import Classifier
from uap_core.models.wrapping import as_classifier, as_classifiers
from uap_core.norms import LINF, Ball, of_levels
from uap_core.perturbations.perturbation import Perturbation

EPSILON = of_levels(10)


def craft(
    networks: nn.Module | Sequence[nn.Module],
    images: ImageSet | Tensor | None = None,
    epsilon: float = EPSILON,
    p: str = LINF,
    method: str | Crafter = "default",
    budget: int = 2000,
    target: int | str | None = None,
    seed: int = 0,
    name: str = "crafted",
) -> Perturbation:
    """Craft one perturbation that fools ``networks`` on most images, and say in its provenance how.

    Moosavi-Dezfooli et al., "Universal adversarial perturbations", CVPR 2017, state the problem (equation 1). To watch a run,
    stop it or continue it later, call a method's own ``craft``.

    Args:
        networks: a ``Classifier`` or any module that maps pixels in [0,1] to logits (N,K), or several that take images of
            one size: an ensemble.
        images: the craft set: an ``ImageSet``, uint8 (N,3,H,W), or floats in [0,1], which are rounded to 256 levels. A method
            that needs none, such as "activations", can do without, and looks at none.
        epsilon: radius of the ball in units of [0,1] pixels: 10/255 in l_inf, some 2000/255 in l2.
        p: norm of the ball, "linf" or "l2".
        method: key of a method, as ``uap craft --help`` lists them, or a method with its settings, like ``SPGD(budget=500)``.
        budget: image-gradients (a forward and backward pass of one image) at most; of a method named by its key.
        target: class that every image shall become, as an index or a label; any other label will do when left out.
        seed: same seed, same machine, same pattern.
        name: what lists call it.

    Returns:
        The perturbation (3,H,W), within the ball.

    Raises:
        SettingError: an unknown method or norm, or a target that the method or the networks do not have.
        DatasetError: no images for a method that needs them, or images that do not fit the networks.
        ModelError: a module that does not return logits, or a label that it does not know.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> images = uap_core.open_image_set(uap_core.dreams_path("resnet64"), "craft", 64, 64, limit=16)
        >>> v = uap_core.craft(network, images, epsilon=8 / 255, budget=64)
        >>> tuple(v.pattern.shape), round(255 * v.norms.linf), v.provenance["method"]
        ((3, 64, 64), 8, 'default')
    """
    classifiers, craft_set = as_classifiers(networks), None if images is None else ImageSet.of(images)
    pixels = None if craft_set is None else craft_set.pixels
    shape = classifiers[0].shape if pixels is None else (pixels.shape[2], pixels.shape[3])
    crafter = build(method, budget, shape) if isinstance(method, str) else method
    check_type("method", crafter, Crafter, "the key of a method or a method, such as SPGD()")
    check_type("name", name, str, "a text")
    generator, ball = _seeded(seed), Ball(p, epsilon)
    criterion = Criterion() if target is None else Criterion.into(_class_of(classifiers[0], pixels, target))
    run = crafter.craft(classifiers, pixels, ball, generator, criterion=criterion)
    (last,) = deque(run, maxlen=1)
    return with_provenance(name, crafter, classifiers, craft_set, ball, criterion, seed, last)


def attack(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    method: str | Attack = "pgd",
    epsilon: float = EPSILON,
    target: int | str | Tensor | None = None,
    seed: int = 0,
) -> AttackResult:
    """Attack each image by itself: away from its label, or into a target.

    Args:
        network: a ``Classifier`` or any module that maps pixels in [0,1] to logits (N,K).
        images: float (N,3,H,W) in [0,1].
        labels: class indices (N,) to leave; what the network says of the images when left out.
        method: key of an attack of ``uap_core.attacks.menu``, such as "fgsm", "pgd", "deepfool" or "carlini-wagner", or an
            attack with its settings, such as ``CarliniWagner(confidence=5)``.
        epsilon: l_inf bound in units of [0,1] pixels; of a bounded attack named by its key. The others look for the smallest
            change.
        target: class to become instead, an index or a label for all images, or indices (N,).
        seed: for attacks that draw numbers.

    Returns:
        The result, image by image: adversarial images, successes, norms, and what they cost.

    Raises:
        SettingError: an unknown attack, or images, labels or a target that do not fit the network.
        ModelError: a module that does not return logits, or a label that it does not know.

    Example:
        >>> import uap_core
        >>> network = uap_core.load_model("resnet64")
        >>> photo = uap_core.preprocess(uap_core.sample_photos()[0].open(), 64, 64)
        >>> result = uap_core.attack(network, photo, epsilon=4 / 255)
        >>> result.success.tolist(), bool(result.linf[0] <= 4 / 255 + 1e-6)
        ([True], True)
    """
    classifier = as_classifier(network)
    generator = _seeded(seed)
    if isinstance(method, str):
        if method not in ATTACKS:
            raise SettingError(f"There is no attack {method!r}. Known: {', '.join(ATTACKS)}.")
        known = ATTACKS[method]
        method = known.build(epsilon, 1, False)
        if known.bounded:
            Ball(LINF, epsilon).check_seen()
    check_type("method", method, Attack, "the key of an attack or an attack, such as FGSM()")
    if target is not None and labels is not None:
        raise SettingError("Give labels to leave or a target to become, not both.")
    if target is not None and not isinstance(target, Tensor):
        check_tensor(images)
        check_shape(images)
        target = _class_of(classifier, images, target)
    return method(classifier, images, Criterion(labels) if target is None else Criterion.into(target), generator=generator)


def _class_of(classifier: Classifier, images: Tensor | None, target: int | str) -> int:
    """The index of a class, given by it or by its label."""
    if images is not None:
        classifier.learn_classes(images)
    return classifier.index_of(target)


def _seeded(seed: int) -> torch.Generator:
    check_whole("a seed", seed, -(2**63), 2**64 - 1)
    return torch.Generator().manual_seed(int(seed))
