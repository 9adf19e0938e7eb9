"""Sets of pictures: a folder or zip with one folder a class, its splits, and Imagenette."""

from uap_core.datasets.image_sets import ImageSet, open_image_set, open_splits

__all__ = ["ImageSet", "open_image_set", "open_splits"]
