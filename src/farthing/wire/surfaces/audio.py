"""The dialect of OpenAI's Audio: text spoken, and speech written down.

Speech is priced by the characters of its text, which the request tells: the answer is sound. What
is written down is priced by the seconds of its sound, which the answer tells. Models that bill
tokens for either have no bound beforehand, and so no place here.
https://platform.openai.com/docs/api-reference/audio
"""

from __future__ import annotations

from math import ceil
from typing import Annotated

import msgspec

from farthing.wire.chat.response import error, fault, model_list
from farthing.wire.dialect import Answer, Ask, Dialect, Tap, Usage
from farthing.wire.form import Form
from farthing.wire.splice import read_field, read_object
from farthing.wire.surfaces.plain import no_count, no_usage, unread, write_request
from farthing.wire.surfaces.spotting import SpottingTap
from farthing.wire.surfaces.wav import most_seconds

# A day of sound a million times over; nothing that is larger was counted.
Seconds = Annotated[float, msgspec.Meta(ge=0, le=10**11)] | None

# Fields that do not name another sound, as `url`, `file_url` and `file_id` do at some providers.
KNOWN = frozenset(
    {
        *("file", "model", "language", "prompt", "temperature", "response_format", "stream"),
        *("timestamp_granularities", "include", "chunking_strategy", "diarize", "context_bias"),
    }
)

NO_BOUND = "sound that is not a WAV file of plain samples (PCM)"


class _Usage(msgspec.Struct):
    seconds: Seconds = None
    prompt_audio_seconds: Seconds = None


class _Answer(msgspec.Struct):
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def read_text(body: bytes) -> Ask:
    """Read a text to be spoken.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    fields = read_object(body)
    text = read_field(fields, "input", str, "")
    beside = read_field(fields, "instructions", str, "")
    return Ask(
        body=body,
        fields=fields,
        model=read_field(fields, "model", str, ""),
        stream=read_field(fields, "stream_format", str, "") == "sse",
        makes_output=False,
        meters=("characters",),
        # However a provider counts characters, they are not more than the bytes.
        most=Usage(characters=len(text.encode()) + len(beside.encode())),
        usage=Usage(characters=len(text)),
    )


def read_sound(form: Form) -> Ask:
    """Read a form with a sound to be written down. Raises Malformed."""
    part = form.only("file")
    seconds = None if part is None else most_seconds(form.content(part))
    odd = [f"the field `{p.name}`" for p in form.parts if p.name.partition("[")[0] not in KNOWN]
    if seconds is None:
        odd.append(NO_BOUND)
    return Ask(
        body=form.body,
        fields={},
        model=form.text("model"),
        stream=form.text("stream") == "true",
        makes_output=False,
        meters=("audio_seconds",),
        most=Usage(audio_seconds=seconds or 0),
        unbounded=tuple(odd),
    )


def read_request(body: bytes) -> Ask:
    """Read a request that is no form: its sound is elsewhere, and of any length.

    Raises:
        Malformed: not a JSON object.
    """
    fields = read_object(body)
    return Ask(
        body=body,
        fields=fields,
        model=read_field(fields, "model", str, ""),
        stream=read_field(fields, "stream", bool, False),
        makes_output=False,
        meters=("audio_seconds",),
        unbounded=(NO_BOUND,),
    )


def read_answer(body: bytes) -> Answer:
    """Read a whole answer, or the usage of a stream's last event: it tells seconds, or nothing."""
    try:
        told = _decode(body).usage or _Usage()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    seconds = told.seconds if told.seconds is not None else told.prompt_audio_seconds
    return Answer(usage=None if seconds is None else Usage(audio_seconds=ceil(seconds)))


def tap(_: Ask) -> Tap:
    """Return what finds the usage at a stream's end."""
    return SpottingTap(read_answer)


def _listening(name: str, path: str) -> Dialect:
    return Dialect(
        name=name,
        path=path,
        read_request=read_request,
        read_form=read_sound,
        write_request=write_request,
        read_answer=read_answer,
        read_count=no_count,
        tap=tap,
        error=error,
        fault=fault,
        model_list=model_list,
        crosses=False,
    )


SPEECH = Dialect(
    name="speech",
    path="/audio/speech",
    read_request=read_text,
    write_request=write_request,
    read_answer=no_usage,
    read_count=no_count,
    tap=unread,
    error=error,
    fault=fault,
    model_list=model_list,
    crosses=False,
    opaque=True,
)
TRANSCRIPTIONS = _listening("transcriptions", "/audio/transcriptions")
TRANSLATIONS = _listening("translations", "/audio/translations")
