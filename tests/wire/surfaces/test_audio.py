"""Sound: spoken by the character, written down by the second."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire.dialect import Answer, Ask, Usage
from farthing.wire.surfaces.audio import NO_BOUND, SPEECH, TRANSCRIPTIONS, TRANSLATIONS

KIND = b"multipart/form-data; boundary=b"


def speech(**fields: Any) -> Ask:
    return SPEECH.read(json.dumps(fields).encode(), b"application/json", None)


def wav(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(16_000)
        written.writeframes(bytes(32_000 * seconds))
    return file.getvalue()


def form(**fields: bytes) -> Ask:
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), b'; filename="f"' if name == "file" else b"", content)
        for name, content in fields.items()
    )
    return TRANSCRIPTIONS.read(parts + b"--b--\r\n", KIND, None)


def test_speech_is_its_characters_and_at_most_its_bytes() -> None:
    of = speech(model="tts-1", input="pêché 🙂", voice="x")
    assert of.usage == Usage(characters=7)
    assert of.most == Usage(characters=12)
    assert (of.meters, of.makes_output, of.stream) == (("characters",), False, False)
    assert speech(input="x", stream_format="sse").stream
    assert speech(input="x", instructions="slow").most == Usage(characters=5)


def test_speech_of_no_text_is_malformed() -> None:
    with pytest.raises(Malformed):
        speech(input=["x"])
    with pytest.raises(Malformed):
        SPEECH.read(b'{"input":"\\ud800"}', b"", None)


def test_its_answer_is_passed_on_as_it_comes_unless_it_is_json() -> None:
    assert SPEECH.streams(200, b"audio/mpeg")
    assert not SPEECH.streams(200, b"application/json; charset=utf-8")
    assert not SPEECH.streams(500, b"audio/mpeg")
    assert SPEECH.read_answer(b"\xff\xfb") == Answer()


def test_a_plain_sound_is_bounded_by_its_bytes() -> None:
    of = form(model=b"whisper-1", file=wav(3))
    assert (of.model, of.unbounded, of.meters) == ("whisper-1", (), ("audio_seconds",))
    assert of.most.audio_seconds >= 3


def test_any_other_sound_has_no_bound() -> None:
    assert form(model=b"m", file=b"ID3").unbounded == (NO_BOUND,)
    assert form(model=b"m").unbounded == (NO_BOUND,)
    assert TRANSLATIONS.read(b'{"file_id":"x"}', b"", None).unbounded == (NO_BOUND,)


@pytest.mark.parametrize("field", ["file_url", "file_id", "url", "unheard_of"])
def test_a_field_that_may_name_another_sound_has_none_either(field: str) -> None:
    of = form(model=b"m", file=wav(1), **{field: b"x"})
    assert of.unbounded == (f"the field `{field}`",)


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"type": "duration", "seconds": 7}, Usage(audio_seconds=7)),
        ({"type": "duration", "seconds": 6.2}, Usage(audio_seconds=7)),
        ({"prompt_audio_seconds": 203, "prompt_tokens": 4}, Usage(audio_seconds=203)),
        ({"type": "tokens", "input_tokens": 14, "output_tokens": 45}, None),
        ({"seconds": -1}, None),
        ({"seconds": 1e300}, None),
        (None, None),
    ],
)
def test_the_seconds_of_an_answer_and_of_a_stream(usage: object, read: Usage | None) -> None:
    told = json.dumps({"text": "x", "usage": usage}).encode()
    assert TRANSCRIPTIONS.read_answer(told).usage == read
    tap = TRANSCRIPTIONS.tap(form())
    tap.feed(b'data: {"type":"transcript.text.delta"}\n\ndata: ' + told + b"\n\n")
    assert tap.answer().usage == read
