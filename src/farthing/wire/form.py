"""A multipart/form-data body, read so exactly that no two readers can see two requests in it.

What decides a price must be what the provider reads too, and readers of such bodies differ in what
they forgive. So nothing is forgiven here: whatever RFC 7578 and RFC 2046 §5.1 leave open (line
endings, folded or repeated headers, escapes in names, text around the parts) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from farthing.errors import Malformed

# RFC 2046 §5.1.1: at most 70 characters. Its spaces and quotes are left out; no client has them.
_boundary_of = re.compile(
    rb'multipart/form-data; ?boundary=(?:([\w\'()+,./:=?-]{1,70})|"([\w\'()+,./:=?-]{1,70})")',
    re.IGNORECASE | re.ASCII,
).fullmatch
_header = re.compile(rb"([A-Za-z-]+): ?([^\r\n\0]*)").fullmatch
# A name that every reader reads alike: no quotes, escapes or percent signs.
_disposition = re.compile(
    rb'form-data; ?name="([\w.-]+(?:\[[\w.-]*\])*)"(; ?filename="[^"\\\r\n]*")?'
    rb"(; ?filename\*=[^\"; ]*)?",
    re.ASCII,
).fullmatch
PLAIN_ENCODINGS = (b"binary", b"8bit", b"7bit")

# The largest form of a client library has some twenty fields, and sixteen images.
PARTS_MOST = 256
HEAD_MOST = 4096


class Part(msgspec.Struct, frozen=True):
    """One field of a form, by the place of its content in the body."""

    name: str
    start: int
    end: int
    file: bool

    def size(self) -> int:
        """The length of its content."""
        return self.end - self.start


class Form(msgspec.Struct, frozen=True):
    """A form, its body as the client sent it."""

    kind: bytes
    """The content type, with the boundary."""
    body: bytes
    parts: tuple[Part, ...]

    def text(self, name: str, default: str = "") -> str:
        """Return a field's text, or the default when it is missing.

        Raises:
            Malformed: it is given twice, as a file or a list, or is not UTF-8.
        """
        part = self.only(name)
        if part is None:
            return default
        if part.file:
            raise _malformed(f"`{name}` is a file, and must be text")
        try:
            return self.content(part).decode()
        except UnicodeDecodeError:
            raise _malformed(f"`{name}` is not UTF-8") from None

    def number(self, name: str, default: int) -> int:
        """Return a field's whole number, or the default when it is missing or empty.

        Raises:
            Malformed: as `text`, or it is no number of at most nine digits.
        """
        text = self.text(name)
        if text and not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise _malformed(f"`{name}` is not a whole number")
        return int(text) if text else default

    def only(self, name: str) -> Part | None:
        """Return the one part of a name, or None. Raises Malformed."""
        found = [part for part in self.parts if part.name.partition("[")[0] == name]
        if len(found) > 1 or (found and found[0].name != name):
            raise _malformed(f"`{name}` is given more than once, or as a list")
        return found[0] if found else None

    def content(self, part: Part) -> bytes:
        """Return a part's content."""
        return self.body[part.start : part.end]

    def replaced(self, name: str, text: str) -> bytes:
        """Return the body with another text in one field, and every other byte as it is."""
        part = self.only(name)
        assert part is not None, "what is replaced was read"
        return self.body[: part.start] + text.encode() + self.body[part.end :]


def is_form(kind: bytes) -> bool:
    """Whether a content type is that of a form, or of something that may be read as one."""
    return kind[:10].lower() == b"multipart/"


def read_form(body: bytes, kind: bytes) -> Form:
    """Read a form.

    Raises:
        Malformed: anything in it could be read in two ways.
    """
    found = _boundary_of(kind)
    if found is None:
        raise _malformed("the content type must be multipart/form-data with one plain boundary")
    delimiter = b"--" + (found[1] or found[2])
    parts = tuple(_parts(body, delimiter))
    # Readers that end lines at a bare line feed would see a part where one is not.
    if body.count(delimiter) != len(parts) + 1:
        raise _malformed("its boundary stands where no part begins")
    return Form(kind, body, parts)


def _parts(body: bytes, delimiter: bytes) -> Iterator[Part]:
    if not body.startswith(delimiter):
        raise _malformed("it does not begin with its boundary")
    place = len(delimiter)
    for _ in range(PARTS_MOST):
        if body[place:] in (b"--", b"--\r\n"):
            return
        if body[place : place + 2] != b"\r\n":
            raise _malformed("a boundary is not followed by a line's end")
        head_end = body.find(b"\r\n\r\n", place)
        end = body.find(b"\r\n" + delimiter, head_end + 2)
        if head_end < 0 or end < 0 or head_end - place > HEAD_MOST:
            raise _malformed("a part has no end, or too long a head")
        name, file = _named(body[place + 2 : head_end])
        start = head_end + 4
        if end < start:
            raise _malformed("a part has no content")
        yield Part(name, start, end, file)
        place = end + 2 + len(delimiter)
    raise _malformed(f"it has more than {PARTS_MOST} parts")


def _named(head: bytes) -> tuple[str, bool]:
    """Return what a part's headers say: its name, and whether it is a file."""
    headers: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        found = _header(line)
        if found is None or found[1].lower() in headers:
            raise _malformed("a part's header cannot be read, or is repeated")
        headers[found[1].lower()] = found[2]
    told = _disposition(headers.get(b"content-disposition", b""))
    if told is None:
        raise _malformed("a part's content-disposition is not plain: form-data, one plain name")
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in PLAIN_ENCODINGS:
        raise _malformed("a part is encoded")
    return told[1].decode(), told[2] is not None or told[3] is not None


def _malformed(why: str) -> Malformed:
    return Malformed("invalid_form", f"The form cannot be read without doubt: {why}.")
