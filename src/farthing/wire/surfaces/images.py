"""The dialect of OpenAI's Images: made from words, changed, or varied.

Such an image is billed by tokens, of which each size and quality has a fixed number; the answer
tells them. https://platform.openai.com/docs/api-reference/images
"""

from __future__ import annotations

import msgspec

from farthing.errors import Malformed
from farthing.wire.chat.response import error, fault, model_list
from farthing.wire.dialect import Answer, Ask, Dialect, Tap, Usage
from farthing.wire.form import Form
from farthing.wire.splice import first_byte, is_null, read_field, read_object
from farthing.wire.surfaces.plain import Count, no_count, write_request
from farthing.wire.surfaces.spotting import SpottingTap

METERS = ("input", "output", "input_image", "output_image")

# The values whose tokens are published, and so those that the provider's data bound. In each row
# the first is what is meant when nothing is said.
# https://platform.openai.com/docs/guides/image-generation#cost-and-latency
KNOWN = {
    "size": ("auto", "1024x1024", "1536x1024", "1024x1536"),
    "quality": ("auto", "low", "medium", "high"),
    "output_format": ("png", "jpeg", "webp"),
}
# Of each image that is shown before it is ready (same page).
PARTIAL_TOKENS = 100

SENT_IMAGES = ("image", "images", "mask")


class _Kinds(msgspec.Struct):
    text_tokens: Count = None
    image_tokens: Count = None


class _Usage(msgspec.Struct):
    input_tokens: Count = None
    output_tokens: Count = None
    input_tokens_details: _Kinds | None = None
    output_tokens_details: _Kinds | None = None


class _Answer(msgspec.Struct):
    usage: _Usage | None = None
    svg_usage: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Answer).decode


def read_request(body: bytes) -> Ask:
    """Read what decides a request's price: how many images, and of what kind.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    fields = read_object(body)
    sent = [fields[name] for name in SENT_IMAGES if not is_null(fields.get(name, msgspec.Raw()))]
    ask = Ask(body=body, fields=fields, model=read_field(fields, "model", str, ""))
    ask.images = sum(map(_how_many, sent))
    ask.opaque_bytes = sum(map(len, sent))
    ask.stream = read_field(fields, "stream", bool, False)
    options = {name: read_field(fields, name, str, "") for name in KNOWN}
    partial = read_field(fields, "partial_images", int, 0)
    return _bounded(ask, read_field(fields, "n", int, 1), partial, options)


def read_form(form: Form) -> Ask:
    """Read the same from a form. Raises Malformed."""
    sent = [part for part in form.parts if part.name.partition("[")[0] in SENT_IMAGES]
    user = msgspec.Raw(msgspec.json.encode(form.text("user")))
    ask = Ask(body=form.body, fields={"user": user}, model=form.text("model"))
    ask.images = len(sent)
    ask.opaque_bytes = sum(part.size() for part in sent)
    ask.stream = form.text("stream") == "true"
    options = {name: form.text(name) for name in KNOWN}
    return _bounded(ask, form.number("n", 1), form.number("partial_images", 0), options)


def _bounded(ask: Ask, number: int, partial: int, options: dict[str, str]) -> Ask:
    """Complete a request by what bounds its images, or by what leaves them without a bound."""
    if number < 1 or partial < 0:
        raise Malformed("invalid_field", "`n` must be 1 or more, `partial_images` 0 or more.")
    ask.meters = METERS
    ask.made_images = number
    ask.extra_output = number * partial * PARTIAL_TOKENS
    odd = [f"`{k}` {v!r}" for k, v in options.items() if v and v not in KNOWN[k]]
    if ask.stream and number > 1:
        odd.append("more than one image in a stream")  # each tells a usage of its own
    ask.unbounded = tuple(odd)
    return ask


def _how_many(raw: msgspec.Raw) -> int:
    return len(msgspec.json.decode(raw, type=list[msgspec.Raw])) if first_byte(raw) == b"[" else 1


def read_answer(body: bytes) -> Answer:
    """Read a whole answer, or the usage of a stream's last event."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    if told.usage is None or not is_null(told.svg_usage):  # another model's tokens are beside it
        return Answer()
    return Answer(usage=_usage(told.usage))


def _usage(told: _Usage) -> Usage | None:
    """Make the counts disjoint; where output is not told apart, all of it is images."""
    if told.input_tokens is None or told.output_tokens is None:
        return None
    image = (told.input_tokens_details or _Kinds()).image_tokens or 0
    text = (told.output_tokens_details or _Kinds()).text_tokens or 0
    return Usage(
        input=max(0, told.input_tokens - image),
        input_image=image,
        output=text,
        output_image=max(0, told.output_tokens - text),
    )


def tap(_: Ask) -> Tap:
    """Return what finds the usage behind the last image."""
    return SpottingTap(read_answer)


def _dialect(name: str, path: str) -> Dialect:
    return Dialect(
        name=name,
        path=path,
        read_request=read_request,
        read_form=read_form,
        write_request=write_request,
        read_answer=read_answer,
        read_count=no_count,
        tap=tap,
        error=error,
        fault=fault,
        model_list=model_list,
        crosses=False,
        users=(("user",),),
    )


IMAGES = _dialect("images", "/images/generations")
IMAGE_EDITS = _dialect("image_edits", "/images/edits")
IMAGE_VARIATIONS = _dialect("image_variations", "/images/variations")
