"""What is neither a conversation nor an embedding: passed to providers of the same spelling.

Each module is one surface. None crosses to another dialect; what they differ in is how they are
bounded, and where their answers say what they used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from farthing.wire.dialect import Dialect, Operation, Target
from farthing.wire.surfaces.audio import SPEECH, TRANSCRIPTIONS, TRANSLATIONS
from farthing.wire.surfaces.completions import COMPLETIONS
from farthing.wire.surfaces.images import IMAGE_EDITS, IMAGE_VARIATIONS, IMAGES
from farthing.wire.surfaces.kept import BATCHES, FILES, MESSAGE_BATCHES, MESSAGE_FILES
from farthing.wire.surfaces.moderations import MODERATIONS
from farthing.wire.surfaces.rerank import RERANK

SURFACES = (
    COMPLETIONS,
    RERANK,
    IMAGES,
    IMAGE_EDITS,
    IMAGE_VARIATIONS,
    SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    MODERATIONS,
    FILES,
    BATCHES,
    MESSAGE_FILES,
    MESSAGE_BATCHES,
)


def operation(
    method: bytes, path: bytes, question: bytes, headers: Mapping[bytes, bytes]
) -> tuple[Dialect, Target] | None:
    """Return what a request does with what a provider keeps; None when it does nothing of it."""
    for dialect, found, tail in _operations(path, headers):
        if found.method == method:
            asked = f"{tail}?{question.decode('latin-1')}" if question else tail
            return dialect, Target("", stream=False, operation=found, tail=asked)
    return None


def methods(path: bytes, headers: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """Return the methods with which a path of such things can be asked for."""
    return tuple(found.method.decode() for _, found, _ in _operations(path, headers))


def speaker(path: bytes, headers: Mapping[bytes, bytes]) -> Dialect | None:
    """Return the dialect of a path of such things; None when it is none."""
    text = path.decode("latin-1")
    found = [d for d in SURFACES if d.operations and _is_below(text, d.version + d.path)]
    # Two vendors keep files at the same path; one of them demands a header of its own.
    own = [d for d in found if any(name.encode() in headers for name, _ in d.required_headers)]
    return next(iter(own or found), None)


def _operations(
    path: bytes, headers: Mapping[bytes, bytes]
) -> Iterator[tuple[Dialect, Operation, str]]:
    dialect = speaker(path, headers)
    if dialect is None:
        return
    tail = path.decode("latin-1")[len(dialect.version + dialect.path) :]
    for each in dialect.operations:
        if re.fullmatch(each.tail, tail, re.ASCII):
            yield dialect, each, tail


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
