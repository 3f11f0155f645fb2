"""Which dialects can be translated to which, and by what: imported when a query crosses first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module

from farthing.wire import DIALECTS
from farthing.wire.passage import Translated

Make = Callable[[str, str, str, Mapping[str, str]], Translated]

FAMILIES = {
    "answers": ("farthing.wire.translate", "Translation"),
    "embeddings": ("farthing.wire.embed.translate", "EmbedTranslation"),
    "counting": ("farthing.wire.count.translate", "CountTranslation"),
}


def translation(here: str, there: str, model: str, headers: Mapping[str, str]) -> Translated:
    """Return what translates between two dialects of one family.

    `model` is the provider's name of the model; `headers` go to it with the request.
    """
    return _make(DIALECTS[here].family)(here, there, model, headers)


def load() -> None:
    """Import all of them, which takes some fifty milliseconds, before a query needs one."""
    for family in FAMILIES:
        _make(family)


@cache
def _make(family: str) -> Make:
    module, name = FAMILIES[family]
    make: Make = getattr(import_module(module), name)
    return make
