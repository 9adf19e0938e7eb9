"""The networks of each precomputed table, by their keys in the zoo."""

from __future__ import annotations

from uap_core.models.zoo import QUICK_MODEL

# Embedded networks that the default one's pattern is transferred to, offline.
OTHERS = ("vgg64", "separable64", "vit64", "resnet64_robust")
EMBEDDED = (QUICK_MODEL, *OTHERS)
IMAGENET = ("squeezenet1_1_caffe", "mobilenet_v2_tf", "mobilenet_v1_075", "googlenet_bvlc")
# Siblings: "never seen" is honest only if all three are left out, so the first represents them.
LITES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
SEVEN = (*LITES, *IMAGENET)
# Their patterns are left out of one another's: each of another kind.
KINDS = (LITES[0], *IMAGENET)
# The page's views of one network: curves, methods, defences, what it feels, geometry, bounds.
VIEWED = (QUICK_MODEL, *KINDS)
# Who fools whom: all networks of a size.
MATRICES = {"embedded": EMBEDDED, "imagenet": (*IMAGENET, *LITES)}
# The same of examples made for one image: the networks, and on how many images.
FAMILIES = {"embedded": (EMBEDDED, 500), "imagenet": (IMAGENET, 100)}
# Epsilon sweeps with FGSM and random signs.
SWEPT = VIEWED
# How far the default method comes with fifty times the gradients: two that saturate below 90 %, and two large ones.
LIMITED = (QUICK_MODEL, "separable64", LITES[0], "squeezenet1_1_caffe")
GAINS_TRIED_ON = (QUICK_MODEL, "squeezenet1_1_caffe")
