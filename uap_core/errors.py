"""The errors of this package. Each has one sentence that says what is wrong and what to do."""

from __future__ import annotations


class UapError(Exception):
    """Be the base of all errors raised on purpose; ``str(error)`` is fit to be shown to a visitor.

    Example:
        >>> import uap_core
        >>> try:
        ...     uap_core.Ball("l7", 0.1)
        ... except uap_core.UapError as error:
        ...     print(error)
        The norm must be 'linf' or 'l2', not 'l7'.
    """


class ImageError(UapError):
    """A picture that cannot be opened or used."""


class DatasetError(UapError):
    """A set of images that is empty, unreadable or of the wrong kind."""


class ModelError(UapError):
    """A network that is unknown, absent, unsafe to open or wrong in shape."""


class PerturbationError(UapError):
    """A perturbation file or array that cannot be used, or does not fit the network."""


class SettingError(UapError):
    """A number or name that a person typed and that is out of range."""


class DownloadError(UapError):
    """A file that could not be fetched whole."""
