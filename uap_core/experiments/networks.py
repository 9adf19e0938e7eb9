"""Which networks what is precomputed on: the only place that says so. By the keys of the zoo."""

from __future__ import annotations

from uap_core.models.zoo import QUICK_MODEL

# Embedded networks beside the default one: whom else does its pattern fool, offline?
OTHERS = ("vgg64", "separable64", "resnet64_robust")
EMBEDDED = (QUICK_MODEL, *OTHERS)
IMAGENET = ("squeezenet1_1_caffe", "mobilenet_v2_tf", "mobilenet_v1_075", "googlenet_bvlc")
# Who fools whom within a family: its networks, and on how many images examples are made.
FAMILIES = {"embedded": (EMBEDDED, 500), "imagenet": (IMAGENET, 100)}
# The quick ones alone: defences, of which each is crafted through, and the paper's method in 32 bits at twice the price.
DEFENDED = (QUICK_MODEL, "squeezenet1_1_caffe", "mobilenet_v1_075")
GAINS_TRIED_ON = (QUICK_MODEL, "squeezenet1_1_caffe")
