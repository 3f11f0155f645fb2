"""Which dialects can be translated to which, and by what. Imported where a query crosses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from farthing.wire import DIALECTS
from farthing.wire.count.translate import CountTranslation
from farthing.wire.embed.translate import EmbedTranslation
from farthing.wire.passage import Translated
from farthing.wire.translate import Translation

Make = Callable[[str, str, str, Mapping[str, str]], Translated]

FAMILIES: dict[str, Make] = {
    "answers": Translation,
    "embeddings": EmbedTranslation,
    "counting": CountTranslation,
}


def translation(here: str, there: str, model: str, headers: Mapping[str, str]) -> Translated:
    """Return what translates between two dialects of one family.

    `model` is the provider's name of the model; `headers` go to it with the request.
    """
    return FAMILIES[DIALECTS[here].family](here, there, model, headers)
