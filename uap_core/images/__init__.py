"""One picture in and out: open anything safely, convert its colours, preprocess it, and the photographs to look at."""

from uap_core.images.photographs import sample_photos
from uap_core.images.reading import open_image, png_bytes, preprocess

__all__ = ["open_image", "png_bytes", "preprocess", "sample_photos"]
