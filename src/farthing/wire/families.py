"""Which dialects can be translated to which, and by what. Imported where a query crosses."""

from __future__ import annotations

from collections.abc import Callable

from farthing.wire import DIALECTS
from farthing.wire.count.translate import CountTranslation
from farthing.wire.embed.translate import EmbedTranslation
from farthing.wire.passage import Translated
from farthing.wire.translate import Translation

FAMILIES: dict[str, Callable[[str, str, str], Translated]] = {
    "answers": Translation,
    "embeddings": EmbedTranslation,
    "counting": CountTranslation,
}


def translation(here: str, there: str, model: str) -> Translated:
    """Return what translates between two dialects of one family.

    `model` is the provider's name of the model.
    """
    return FAMILIES[DIALECTS[here].family](here, there, model)
