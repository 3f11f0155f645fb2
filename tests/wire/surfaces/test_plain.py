"""What surfaces share: only the model's name is ever changed, in JSON as in a form."""

from __future__ import annotations

from farthing.wire.dialect import Answer, Ask, Changes
from farthing.wire.form import read_form
from farthing.wire.splice import read_object
from farthing.wire.surfaces.plain import no_count, no_usage, unread, write_request

JSON = b'{"model":"m","prompt":"x"}'
FORM = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'


def test_in_json() -> None:
    ask = Ask(body=JSON, fields=read_object(JSON), model="m")
    assert write_request(ask, Changes(output_cap=5)) is JSON
    assert write_request(ask, Changes(model="n")) == b'{"model":"n","prompt":"x"}'


def test_in_a_form() -> None:
    ask = Ask(body=FORM, fields={}, model="m")
    ask.form = read_form(FORM, b"multipart/form-data; boundary=b")
    assert write_request(ask, Changes()) is FORM
    assert write_request(ask, Changes(model="other")) == FORM.replace(b"\r\nm\r", b"\r\nother\r")


def test_a_stream_that_is_not_read_passes_whole() -> None:
    tap = unread(Ask(body=b"", fields={}, model=""))
    assert tap.feed(b"\0\1") + tap.rest() == b"\0\1"
    assert tap.answer() == no_usage(b"{}") == Answer()
    assert no_count(b"{}") is None
