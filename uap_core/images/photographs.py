"""Sample photographs for everybody: found inside installed packages, each with what a person would call it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from uap_core.errors import ImageError
from uap_core.i18n import _
from uap_core.images.reading import open_image


@dataclass(frozen=True)
class Photo:
    """A sample photograph, found inside an installed package.

    ``credit`` names who holds it and its licence. ``shows`` are WordNet ids of the ImageNet classes that a person would accept
    for it. ``box`` (left, upper, right, lower in pixels) is the part that is shown, everything when empty. ``withstands`` are
    keys of the networks that name it rightly and whose own pattern leaves their answer as it is, at 10/255. ``sight`` is what
    a person says to see, with its article.
    """

    key: str
    title: str
    package: str
    location: str
    credit: str
    shows: tuple[str, ...]
    box: tuple[int, ...] = ()
    withstands: tuple[str, ...] = ()
    sight: str = ""

    @property
    def path(self) -> Path:
        """Where the file lies. Raises ImageError if the package is not installed or no longer holds it."""
        spec = find_spec(self.package)  # finds the folder without importing the package, which may take seconds
        roots = list(spec.submodule_search_locations or []) if spec else []
        for root in roots:
            if (Path(root) / self.location).is_file():
                return Path(root) / self.location
        raise ImageError(
            _("The sample photograph {title!r} is not in the installed {package}.").format(
                title=self.title, package=self.package
            )
        )

    def open(self) -> Image.Image:
        """The picture as 8-bit RGB."""
        whole = open_image(self.path)
        return whole.crop(self.box) if self.box else whole  # type: ignore[arg-type]  # four numbers


CATS = ("n02123045", "n02123159", "n02124075")  # tabby, tiger cat, Egyptian cat
SUITS = ("n04350905", "n02883205", "n04591157", "n03763968")  # suit, bow tie, Windsor tie, military uniform
COFFEE = ("n07920052", "n07930864", "n03063599")  # espresso, cup, coffee mug
MOPEDS = ("n03785016", "n03791053")  # moped, motor scooter
ROCKETS = ("n03773504", "n04008634")  # missile, projectile
CHEETAH, LION, TRIPOD = ("n02130308",), ("n02129165",), ("n04485082",)
_GRADIO, _SKIMAGE = "media_assets/images/", "data/"
_BY_GRADIO = _("Gradio's sample media (Apache-2.0)")
# Boxes are where all four ImageNet networks that come with the requirements name the thing rightly, also under random signs.
SAMPLE_PHOTOS = (
    Photo(
        "running", _("Cheetah"), "gradio", _GRADIO + "cheetah.jpg", _BY_GRADIO, CHEETAH, (66, 0, 403, 337), sight=_("a cheetah")
    ),
    Photo(
        "espresso",
        _("Espresso"),
        "skimage",
        _SKIMAGE + "coffee.png",
        _("Rachel Michetti (CC0), in scikit-image"),
        COFFEE,
        (0, 0, 400, 400),
        ("resnet64", "resnet64_robust", "separable64", "vgg64"),
        sight=_("an espresso"),
    ),
    Photo(
        "lion",
        _("Lion"),
        "gradio",
        _GRADIO + "lion.jpg",
        _BY_GRADIO,
        LION,
        withstands=("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "resnet64_robust"),
        sight=_("a lion"),
    ),
    Photo(
        "cat",
        _("Cat"),
        "skimage",
        _SKIMAGE + "chelsea.png",
        _("Chelsea the cat, Stefan van der Walt (CC0), in scikit-image"),
        CATS,
        (136, 3, 428, 295),
        sight=_("a cat"),
    ),
    Photo(
        "tripod",
        _("Tripod"),
        "skimage",
        _SKIMAGE + "camera.png",
        _("Lav Varshney (CC0), in scikit-image"),
        TRIPOD,
        (60, 30, 500, 470),
        sight=_("a camera on a tripod"),
    ),
    Photo(
        "cheetah",
        _("Cheetah 2"),
        "gradio",
        _GRADIO + "cheetah1.jpg",
        _BY_GRADIO,
        CHEETAH,
        (23, 9, 253, 239),
        sight=_("a cheetah"),
    ),
    Photo(
        "motorcycle",
        _("Motorcycle"),
        "skimage",
        _SKIMAGE + "motorcycle_left.png",
        _("Middlebury stereo data of 2014 (Scharstein et al.), in scikit-image"),
        MOPEDS,
        sight=_("a motorcycle"),
    ),
    Photo(
        "hopper",
        _("Hopper"),
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        _("Grace Hopper, US Navy (public domain), in Matplotlib"),
        SUITS,
        (0, 30, 480, 510),
        ("resnet64_robust", "vgg64"),
        sight=_("a woman in uniform"),
    ),
    Photo(
        "rocket",
        _("Rocket"),
        "skimage",
        _SKIMAGE + "rocket.jpg",
        _("SpaceX (CC0), in scikit-image"),
        ROCKETS,
        (238, 103, 352, 217),
        sight=_("a rocket"),
    ),
)


def sample_photos() -> list[Photo]:
    """List the sample photographs that are really there, inside installed packages.

    Example:
        >>> import uap_core
        >>> uap_core.sample_photos()[0].open().mode
        'RGB'
    """
    found = []
    for photo in SAMPLE_PHOTOS:
        try:
            photo.path  # noqa: B018 - asking raises when the file is gone
        except ImageError:
            continue
        found.append(photo)
    return found


def first_photo(network: str, classes: Iterable[str] | None) -> Photo:
    """What a network is shown first: a thing that it can name, and that its own pattern makes it lose.

    ``classes`` are its WordNet ids, or None for all of ImageNet's. The first of all where there is no such thing. Raises
    ImageError where no package brings a photograph.
    """
    photos, known = sample_photos(), None if classes is None else set(classes)
    if not photos:
        raise ImageError(_("No installed package brings a sample photograph. Install the requirements anew."))
    fitting = (photo for photo in photos if (known is None or known.intersection(photo.shows)))
    return next((photo for photo in fitting if network not in photo.withstands), photos[0])
