"""Forms: read exactly, changed in one place, and refused wherever two readers could differ."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import Malformed
from farthing.wire.form import HEAD_MOST, PARTS_MOST, Form, read_form

KIND = b"multipart/form-data; boundary=b0"


def field(name: str, content: bytes, more: str = "") -> bytes:
    return b'--b0\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
        name.encode(),
        more.encode(),
        content,
    )


def body(*fields: bytes) -> bytes:
    return b"".join(fields) + b"--b0--\r\n"


MODEL = field("model", b"whisper-1")
SOUND = field("file", b"\0\r\n\r\n--b1\r\n--", '; filename="a.wav"\r\nContent-Type: audio/wav')


def test_a_form_is_its_fields_and_their_places() -> None:
    form = read_form(body(MODEL, SOUND, field("n", b"3")), KIND)
    assert form.text("model") == "whisper-1"
    assert form.number("n", 1) == 3
    sound = form.only("file")
    assert sound is not None and sound.file
    assert form.content(sound) == b"\0\r\n\r\n--b1\r\n--"
    assert sound.size() == 13


def test_what_is_missing_has_its_default() -> None:
    form = read_form(body(MODEL, field("n", b"")), KIND)
    assert (form.text("size", "auto"), form.number("n", 7), form.only("file")) == ("auto", 7, None)


def test_a_form_without_parts_is_empty() -> None:
    assert read_form(b"--b0--", KIND).parts == ()


@pytest.mark.parametrize(
    "kind",
    [
        b'multipart/form-data; boundary="b0"',
        b"multipart/form-data;boundary=b0",
        b"Multipart/Form-Data; Boundary=b0",
    ],
)
def test_a_boundary_is_read_as_clients_write_it(kind: bytes) -> None:
    assert read_form(body(MODEL), kind).text("model") == "whisper-1"


def test_one_text_is_replaced_and_every_other_byte_stays() -> None:
    before = body(SOUND, MODEL, SOUND)
    after = read_form(before, KIND).replaced("model", "other")
    assert after == before.replace(b"whisper-1", b"other")


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.from_regex(r"\A[a-z_]{1,9}\Z"), st.binary(max_size=40)), max_size=5),
    st.text(max_size=9),
)
def test_any_contents_come_back_as_they_were(told: list[tuple[str, bytes]], model: str) -> None:
    told = [(f"x{name}", content) for name, content in told if b"--b0" not in content]
    whole = body(*(field(name, content) for name, content in told), MODEL)
    form = read_form(whole, KIND)
    found = [(part.name, form.content(part)) for part in form.parts]
    assert found == [*told, ("model", b"whisper-1")]
    again = read_form(form.replaced("model", model), KIND) if "--b0" not in model else None
    assert again is None or again.text("model") == model


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([b"--b0", b"\r\n", b"\n", b"--", b"x", b":", b'"', MODEL, SOUND])))
def test_any_bytes_are_a_form_or_malformed(pieces: list[bytes]) -> None:
    try:
        form = read_form(b"".join(pieces), KIND)
    except Malformed as problem:
        assert problem.code == "invalid_form"
    else:
        assert isinstance(form, Form)


HOSTILE = {
    "no boundary in the content type": (b"multipart/form-data", body(MODEL)),
    "two boundaries": (KIND + b"; boundary=b1", body(MODEL)),
    "another content type": (b"multipart/mixed; boundary=b0", body(MODEL)),
    "a boundary that is too long": (b"multipart/form-data; boundary=" + b"b" * 71, body(MODEL)),
    "another boundary in the body": (b"multipart/form-data; boundary=b1", body(MODEL)),
    "text before the first part": (KIND, b"x\r\n" + body(MODEL)),
    "text after the last": (KIND, body(MODEL) + b"x"),
    "a second form after the first": (KIND, body(MODEL) + body(MODEL)),
    "no end": (KIND, MODEL),
    "no head": (KIND, b"--b0\r\nmodel"),
    "no content": (KIND, MODEL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n--b0--\r\n"),
    "bare line feeds": (KIND, body(MODEL).replace(b"\r\n", b"\n")),
    "a delimiter after a bare line feed": (
        KIND,
        body(field("prompt", b'x\n--b0\nContent-Disposition: form-data; name="model"\n\ndear')),
    ),
    "a delimiter with spaces behind it": (KIND, body(MODEL).replace(b"--b0\r\n", b"--b0 \r\n")),
    "the boundary inside a content": (KIND, body(field("prompt", b"a --b0 b"), MODEL)),
    "a folded header": (KIND, body(MODEL).replace(b"; name", b";\r\n name")),
    "a header twice": (KIND, body(field("model", b"x", "\r\nContent-Disposition: form-data"))),
    "a header that is none": (KIND, body(field("model", b"x", "\r\nnonsense"))),
    "a name that is escaped": (KIND, body(field('mo\\"del', b"x"))),
    "a name that is percent-encoded": (KIND, body(field("mod%65l", b"x"))),
    "a name beside the name": (KIND, body(field("model", b"x", "; name*=utf-8''prompt"))),
    "two names": (KIND, body(field("model", b"x", '; name="prompt"'))),
    "no name": (KIND, body(MODEL).replace(b'; name="model"', b"")),
    "no disposition": (KIND, body(MODEL).replace(b"Content-Disposition", b"Content-Other")),
    "not form-data": (KIND, body(MODEL).replace(b"form-data;", b"attachment;")),
    "a transfer encoding": (
        KIND,
        body(field("model", b"eA==", "\r\nContent-Transfer-Encoding: base64")),
    ),
    "too long a head": (KIND, body(field("model", b"x", f"\r\nX-Y: {'y' * HEAD_MOST}"))),
    "too many parts": (KIND, body(*[MODEL] * (PARTS_MOST + 1))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_could_be_read_in_two_ways_is_refused(name: str) -> None:
    kind, whole = HOSTILE[name]
    with pytest.raises(Malformed) as refused:
        read_form(whole, kind)
    assert refused.value.code == "invalid_form"


@pytest.mark.parametrize(
    "fields",
    [
        [MODEL, MODEL],
        [MODEL, field("model[]", b"dear")],
        [field("model[0]", b"dear")],
        [field("model", b"x", '; filename="x"')],
        [field("model", b"x", "; filename*=utf-8''x")],
        [field("model", b"\xff")],
    ],
    ids=["twice", "and a list", "a list", "a file", "a file by its other name", "not UTF-8"],
)
def test_a_model_s_name_is_one_text(fields: list[bytes]) -> None:
    form = read_form(body(*fields), KIND)
    with pytest.raises(Malformed, match="model"):
        form.text("model")


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "1234567890", "²", "٣", " 1"])
def test_a_number_is_digits(text: str) -> None:
    form = read_form(body(field("n", text.encode())), KIND)
    with pytest.raises(Malformed, match=re.escape("`n` is not a whole number")):
        form.number("n", 1)
