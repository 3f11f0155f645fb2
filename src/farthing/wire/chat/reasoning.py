"""Reasoning in a message: three fields that vendors of this dialect invented, and a part.

`reasoning_content` and `reasoning` are texts; `reasoning_details` is a list of entries, each a
text, a summary or encrypted, perhaps with a signature. Often one repeats another.
https://openrouter.ai/docs/use-cases/reasoning-tokens
"""

from __future__ import annotations

from farthing.wire.canon import JSON, Part, Reasoning, Signature
from farthing.wire.chat.nested import filled, full
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

VENDOR = "chat"
DETAILS = "reasoning_details"
TEXTS = ("reasoning_content", "reasoning")
AGAIN = "again:"  # in a form: this field repeats the reasoning that another one tells

# Where an entry of each type has its content.
FIELDS = {
    "reasoning.text": "text",
    "reasoning.summary": "summary",
    "reasoning.encrypted": "data",
}


def said(thoughts: list[Reasoning]) -> str:
    """Return all that reasoning says in words."""
    return "".join(thought.text for thought in thoughts)


def read_reasoning(message: Taker, words: list[str]) -> list[Reasoning]:
    """Take a message's reasoning; `words` learns which fields only repeat it."""
    thoughts = _read_details(message)
    told = said(thoughts)
    for field in TEXTS:
        text = message.left.get(field)
        if not text or not isinstance(text, str):
            continue
        if not told:
            thoughts.insert(0, Reasoning(text=text, form=field))
            told = text
        elif text == told:
            words.append(AGAIN + field)
        else:
            continue
        del message.left[field]
    return thoughts


def _read_details(message: Taker) -> list[Reasoning]:
    entries = message.left.get(DETAILS)
    if not isinstance(entries, list) or not all(map(known, entries)):
        return []
    del message.left[DETAILS]
    return [read_detail(entry) for entry in entries]


def known(entry: object) -> bool:
    """Whether an entry of `reasoning_details` is of a known type."""
    if not isinstance(entry, dict):
        return False
    kind = entry.get("type")
    return isinstance(kind, str) and kind in FIELDS


def read_detail(entry: JSON) -> Reasoning:
    """Read an entry of a known type."""
    taker = Taker(entry)
    kind = taker.take("type", str, "")
    content = full(taker, FIELDS[kind])
    thought = Reasoning(form=kind, id=full(taker, "id"), summary=kind == "reasoning.summary")
    if kind == "reasoning.encrypted":
        thought.encrypted = content
    else:
        thought.text = content
    if signature := full(taker, "signature"):
        thought.signature = Signature(value=signature, vendor=VENDOR)
    thought.rest = taker.left
    return thought


def write_reasoning(thoughts: list[Reasoning], words: list[str], crossing: Crossing) -> JSON:
    """Return a message's fields of reasoning for a provider; only what is its own goes to it."""
    own = [thought for thought in thoughts if crossing.same or _ours(thought)]
    if len(own) < len(thoughts):
        crossing.lose("reasoning", "hint")
    written: JSON = {word.removeprefix(AGAIN): said(own) for word in words if AGAIN in word}
    details = []
    for thought in own:
        if crossing.form(thought) in TEXTS:
            written[thought.form] = thought.text
        else:
            details.append(_write_detail(thought, crossing))
    return written | ({DETAILS: details} if details else {})


def _ours(thought: Reasoning) -> bool:
    return thought.signature is not None and thought.signature.vendor == VENDOR


def _write_detail(thought: Reasoning, crossing: Crossing) -> JSON:
    kind = crossing.form(thought) or _kind(thought)
    content = thought.encrypted if kind == "reasoning.encrypted" else thought.text
    signature = thought.signature.value if thought.signature else ""
    told = filled(id=thought.id, signature=signature) | filled(**{FIELDS[kind]: content})
    return {"type": kind} | told | crossing.rest(thought, "reasoning")


def _kind(thought: Reasoning) -> str:
    if thought.encrypted:
        return "reasoning.encrypted"
    return "reasoning.summary" if thought.summary else "reasoning.text"


def tell_reasoning(thoughts: list[Reasoning], crossing: Crossing) -> JSON:
    """Return an answer's field of reasoning for a client, from another dialect's."""
    for thought in thoughts:
        note_sealed(thought, crossing)
        crossing.rest(thought, "reasoning")
    return filled(reasoning_content=said(thoughts))


def note_sealed(thought: Reasoning, crossing: Crossing) -> None:
    """Note what of reasoning a client of this dialect cannot be told."""
    if thought.encrypted:
        crossing.lose("reasoning.encrypted", "hint")
    if thought.signature:
        crossing.lose("reasoning.signature", "hint")


# -- a part of the content ----------------------------------------------------------------------

THINKING = "thinking"


def is_part(part: Part, crossing: Crossing) -> bool:
    """Whether reasoning stood among the parts of the content."""
    return crossing.form(part) in (THINKING, THINKING + " plain")


def read_thinking(part: Taker) -> Reasoning | None:
    """Read a part whose `type` is taken: {"thinking": [texts]} or {"thinking": text}."""
    signature = full(part, "signature")
    thought = Reasoning(form=THINKING, rest=part.left)
    if signature:
        thought.signature = Signature(value=signature, vendor=VENDOR)
    plain = part.maybe(THINKING, str)
    if plain is not None:
        thought.text, thought.form = plain, THINKING + " plain"
        return thought
    texts = part.left.get(THINKING)
    if not isinstance(texts, list) or not all(map(is_text, texts)):
        return None
    thought.text = "".join(text["text"] for text in texts)
    if texts == [{"type": "text", "text": thought.text}]:
        del part.left[THINKING]
    return thought


def is_text(value: object) -> bool:
    """Whether something is a part with a text in it."""
    return isinstance(value, dict) and isinstance(value.get("text"), str)


def write_thinking(thought: Reasoning) -> JSON:
    """Write reasoning that stood among the parts of the content."""
    plain = thought.form != THINKING
    told = thought.text if plain else [{"type": "text", "text": thought.text}]
    signature = thought.signature.value if thought.signature else ""
    return {"type": THINKING, THINKING: told} | filled(signature=signature) | thought.rest


def reasonings(parts: list[Part], crossing: Crossing) -> list[Reasoning]:
    """Return the reasoning that belongs in fields of the message."""
    return [p for p in parts if isinstance(p, Reasoning) and not is_part(p, crossing)]
