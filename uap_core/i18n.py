"""The language of what people read: English as it stands in the code, or what a catalogue makes of it. Alone knows gettext.

A text is marked where it stands, ``_("Craft")``, with named places for what changes, ``_("{count} images").format(count=3)``.
What is written into files or compared with is an id. The table that has its name marks it by ``N_``, and it goes through ``_``
where it is shown. One process speaks one language, UAP_LANGUAGE, so constants may be translated
at import. Catalogues are locale/<language>/LC_MESSAGES/uap_core.mo; a language without one is English.
"""

from __future__ import annotations

import gettext
import os
from pathlib import Path

LANGUAGE_VARIABLE = "UAP_LANGUAGE"
CATALOGUES = Path(__file__).parent / "locale"


def catalogue(language: str) -> gettext.NullTranslations:
    """The catalogue of a ``language``, such as "de" or "pt_BR"; without one, all texts stay as they are."""
    return gettext.translation("uap_core", CATALOGUES, [language], fallback=True)


_found = catalogue(os.environ.get(LANGUAGE_VARIABLE) or "en")
_ = _found.gettext
ngettext = _found.ngettext


def N_(text: str) -> str:
    """``text`` as it is: marked to be translated where it is shown."""
    return text
