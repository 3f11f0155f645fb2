"""What an assistant said: the fields of its messages, in requests and in answers alike."""

from __future__ import annotations

from collections.abc import Sequence

from farthing.wire.canon import JSON, Media, Part, Reasoning, Refusal, Text
from farthing.wire.chat.cache import put_mark, take_mark
from farthing.wire.chat.calls import CALLS, is_call, read_calls, write_calls
from farthing.wire.chat.nested import filled, full
from farthing.wire.chat.parts import (
    LIST,
    NOTES,
    PART,
    read_content,
    take_citations,
    write_citations,
    write_content,
)
from farthing.wire.chat.reasoning import (
    DETAILS,
    TEXTS,
    is_part,
    read_reasoning,
    reasonings,
    write_reasoning,
)
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

SPOKEN = "audio"  # the form of a part that stood in the message's `audio`
EMPTY = "empty:"  # in a form: this field is there and says nothing

# Fields that say nothing when they are empty, and what empty is.
_EMPTIES: dict[str, object] = {
    "content": "",
    "refusal": "",
    **dict.fromkeys(TEXTS, ""),
    DETAILS: [],
    CALLS: [],
    NOTES: [],
}


def take_empties(message: Taker) -> list[str]:
    """Take the fields that are there and say nothing, as words for the form."""
    left = message.left
    found = [key for key in left if key in _EMPTIES and left[key] == _EMPTIES[key]]
    for key in found:
        del message.left[key]
    return [EMPTY + key for key in found]


def put_empties(words: Sequence[str]) -> JSON:
    """Return the fields that were there and said nothing."""
    named = [word.removeprefix(EMPTY) for word in words if word.startswith(EMPTY)]
    return {key: [] if _EMPTIES.get(key) == [] else "" for key in named}


def read_said(message: Taker) -> tuple[list[Part], list[str]]:
    """Take an assistant's parts, and the words of the form they had."""
    words = take_empties(message)
    parts: list[Part] = [*read_reasoning(message, words), *read_content(message, words)]
    if refusal := full(message, "refusal"):
        parts.append(Refusal(text=refusal))
    parts += _read_spoken(message)
    take_citations(message, [part for part in parts if part.form != SPOKEN])
    parts += read_calls(message)
    take_mark(message, parts)
    return parts, words


def _read_spoken(message: Taker) -> list[Part]:
    told = message.left.get("audio")
    if not isinstance(told, dict):
        return []
    del message.left["audio"]
    box = Taker(told)
    spoken = Media(kind="audio", form=SPOKEN, data=full(box, "data"), file=full(box, "id"))
    transcript = full(box, "transcript")
    spoken.rest = box.left
    return [Text(text=transcript, form=SPOKEN), spoken] if transcript else [spoken]


def _write_spoken(parts: Sequence[Part], crossing: Crossing) -> JSON:
    told: JSON = {}
    for part in parts:
        if crossing.form(part) != SPOKEN:
            continue
        if isinstance(part, Text):
            told["transcript"] = part.text
        elif isinstance(part, Media):
            told |= filled(data=part.data, id=part.file) | part.rest
            return {"audio": told}
    return {}


def content_of(parts: Sequence[Part], crossing: Crossing) -> list[Part]:
    """Return the parts that belong in the message's content."""
    return [part for part in parts if _is_content(part, crossing)]


def _is_content(part: Part, crossing: Crossing) -> bool:
    if isinstance(part, Reasoning):
        return is_part(part, crossing)
    if isinstance(part, Refusal):
        return crossing.form(part) == PART
    return not is_call(part, crossing) and crossing.form(part) != SPOKEN


def write_said(parts: list[Part], words: list[str], crossing: Crossing) -> JSON:
    """Return the fields of an assistant's message; content is left out when there is none."""
    content = content_of(parts, crossing)
    written = put_empties(words) | write_reasoning(reasonings(parts, crossing), words, crossing)
    written |= put_mark(parts, crossing)
    if content or LIST in words:
        written["content"] = write_content(content, LIST in words, crossing)
    refusals = [part for part in parts if isinstance(part, Refusal)]
    told = [part.text for part in refusals if crossing.form(part) != PART]
    written |= filled(refusal="".join(told))
    written |= _write_spoken(parts, crossing)
    written |= write_citations([part for part in content if isinstance(part, Text)], crossing)
    return written | write_calls(parts, crossing)
