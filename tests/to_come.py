"""What the recipes and jobs name and nobody has computed yet: `publish` makes it. Everything else must be made."""

PATTERNS_TO_COME = frozenset(
    (
        "efficientnet_lite1-linf10-deepfool",
        "efficientnet_lite2-linf10-deepfool",
        "efficientnet_lite1-l2",
        "efficientnet_lite2-l2",
        "efficientnet_lite1-linf10-brain-coral",
        "efficientnet_lite2-linf10-brain-coral",
        "unseen-mobilenet_v2_tf-linf10",
        "unseen-mobilenet_v1_075-linf10",
        "unseen-googlenet_bvlc-linf10",
    )
)
TABLES_TO_COME = frozenset(
    (
        "efficientnet_lite0-curve-deepfool",
        "efficientnet_lite0-ablations",
        "efficientnet_lite1-linf10-outcomes",
        "efficientnet_lite2-linf10-outcomes",
    )
)
TO_COME = PATTERNS_TO_COME | TABLES_TO_COME
