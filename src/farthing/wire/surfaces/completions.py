"""The dialect of OpenAI's legacy Completions: a text that is gone on with.

https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

import msgspec

from farthing.errors import Malformed
from farthing.wire.chat.request import OPEN_TIERS, PLAIN_TIERS
from farthing.wire.chat.request import UNBOUNDED_FIELDS as OF_CHAT
from farthing.wire.chat.response import error, fault, model_list, read_answer, tap
from farthing.wire.dialect import Ask, Changes, Dialect
from farthing.wire.splice import first_byte, is_null, read_field, read_object, rebuild
from farthing.wire.surfaces.plain import no_count

# The cap that the dialect's author documents for a request without one. A larger one would not fit
# beside the prompt in the small contexts of the models that are asked this way.
DEFAULT_CAP = 16

UNBOUNDED_FIELDS = (*OF_CHAT, "images", "image_url", "multi_modal_data")


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


def read_request(body: bytes) -> Ask:
    """Read what decides a request's price: its prompts, its cap, and how often each is answered.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    fields = read_object(body)
    stream = read_field(fields, "stream", bool, False)
    options = read_field(fields, "stream_options", _StreamOptions, _StreamOptions())
    prompts = _prompts(fields)
    ask = Ask(
        body=body,
        fields=fields,
        model=read_field(fields, "model", str, ""),
        stream=stream,
        wants_usage=not stream or bool(options.include_usage),
        output_cap=_output_cap(fields),
        default_cap=DEFAULT_CAP,
        choices=prompts * _answers(fields),
        prompts=prompts,
        cache_marks=True,  # providers of this dialect write to caches unasked
        unbounded=tuple(f"`{n}`" for n in UNBOUNDED_FIELDS if not is_null(_raw(fields, n))),
    )
    if read_field(fields, "echo", bool, False):
        # Whether a prompt that is repeated counts as output is not said anywhere.
        ask.extra_output = len(body) * ask.choices
    tier = read_field(fields, "service_tier", str, "")
    if tier not in PLAIN_TIERS:
        ask.options = {"service_tier": tier}
    ask.open_tier = tier in OPEN_TIERS
    return ask


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the changes."""
    new: dict[str, bytes] = {}
    if changes.model is not None:
        new["model"] = msgspec.json.encode(changes.model)
    if changes.output_cap is not None:
        new["max_tokens"] = b"%d" % changes.output_cap
    if changes.ask_usage:
        options = read_field(ask.fields, "stream_options", dict[str, msgspec.Raw], {})
        options["include_usage"] = msgspec.Raw(b"true")
        new["stream_options"] = msgspec.json.encode(options)
    return rebuild(ask.body, ask.fields, new)


def _raw(fields: dict[str, msgspec.Raw], name: str) -> msgspec.Raw:
    return fields.get(name, msgspec.Raw())


def _output_cap(fields: dict[str, msgspec.Raw]) -> int | None:
    cap = read_field(fields, "max_tokens", int, 0)
    return cap if cap > 0 else None


def _answers(fields: dict[str, msgspec.Raw]) -> int:
    """Return how many answers are made to each prompt; of `best_of` one or some are shown."""
    answers = max(read_field(fields, "n", int, 1), read_field(fields, "best_of", int, 1))
    if answers < 1:
        raise Malformed("invalid_field", "`n` must be 1 or more.")
    return answers


def _prompts(fields: dict[str, msgspec.Raw]) -> int:
    """Return how many prompts there are: an array of numbers is one, of anything else many."""
    raw = _raw(fields, "prompt")
    if first_byte(raw) != b"[":
        return 1
    each = read_field(fields, "prompt", list[msgspec.Raw], [])
    return 1 if all(first_byte(token).isdigit() for token in each) else len(each)


COMPLETIONS = Dialect(
    name="completions",
    path="/completions",
    read_request=read_request,
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
