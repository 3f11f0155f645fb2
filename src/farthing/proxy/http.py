"""Heads of HTTP/1.1 messages as bytes, and the headers that do not pass a gateway."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from farthing import __version__
from farthing.providers import Provider
from farthing.providers.load import AUTHS

# RFC 9110 §7.6.1, and what is the provider's own business: its cookies are bound to its origin,
# and its advertisements of other protocols would lead a client around the gateway.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"content-length",
        b"set-cookie",
        b"alt-svc",
        b"strict-transport-security",
        b"server",
        b"date",
        b"via",
        b"access-control-allow-origin",
        b"access-control-allow-credentials",
    }
)

STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %s\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}


def status_line(status: int) -> bytes:
    """Return the first line of an answer."""
    return STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status


def whole(status: int, headers: bytes, body: bytes, *, keep_alive: bool) -> bytes:
    """Return a whole answer; `headers` are lines, each with its CRLF."""
    return b"%s%s%scontent-length: %d\r\n\r\n%s" % (
        status_line(status),
        headers,
        b"" if keep_alive else b"connection: close\r\n",
        len(body),
        body,
    )


def stream_head(status: int, headers: bytes, *, keep_alive: bool, chunked: bool) -> bytes:
    """Return the head of an answer whose length is not known yet."""
    return b"%s%s%s%s\r\n" % (
        status_line(status),
        headers,
        b"" if keep_alive else b"connection: close\r\n",
        b"transfer-encoding: chunked\r\n" if chunked else b"",
    )


def chunk(data: bytes) -> bytes:
    """Return bytes as one chunk (RFC 9112 §7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data)


# A body of this many bytes is not copied behind its head: both are written one after the other.
LARGE_BYTES = 16 * 1024

Message = tuple[bytes] | tuple[bytes, bytes]


def message(head: bytes, body: bytes) -> Message:
    """Return a head that lacks its end, and a body behind it, as pieces to be written in turn."""
    if len(body) < LARGE_BYTES:
        return (b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body),)
    return b"%scontent-length: %d\r\n\r\n" % (head, len(body)), body


# What clients name their headers, and the same in small letters.
_NAMES: dict[bytes, bytes] = {}
NAMES_MOST = 512


def lowered(name: bytes) -> bytes:
    """Return a header's name in small letters; of most names one copy serves all connections."""
    found = _NAMES.get(name)
    if found is None:
        found = name.lower()
        if len(_NAMES) < NAMES_MOST:
            _NAMES[name] = found
    return found


JSON_TYPE = b"application/json"
LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def keep_alive_seconds(value: bytes) -> float:
    """Return how long a `Keep-Alive: timeout=N` lets a connection rest, a second spared."""
    for part in value.split(b","):
        name, _, seconds = part.strip().partition(b"=")
        if name.lower() == b"timeout" and seconds.isdigit():
            return max(0.0, float(seconds) - 1)
    return float("inf")


def request_head(
    provider: Provider,
    method: str,
    path: str,
    dialect: str = "",
    kind: bytes = JSON_TYPE,
) -> bytes:
    """Return the first line of a request and the headers that every one to a provider has; `kind`
    is what it sends, b"" for nothing."""
    _, _, rest = provider.base_url.partition("://")
    host, _, folder = rest.partition("/")
    target = f"/{folder}".rstrip("/") + path or "/"
    auth = AUTHS[provider.auths.get(dialect, provider.auth)]
    return b"".join(
        (
            b"%s %s HTTP/1.1\r\nhost: %s\r\n" % (method.encode(), target.encode(), host.encode()),
            auth % provider.key.encode() if auth else b"",
            b"content-type: %s\r\n" % kind if kind else b"",
            b"accept-encoding: identity\r\n",
            b"user-agent: farthing/%s\r\n" % __version__.encode(),
        )
    )


def filled(path: str, model: str, verb: str) -> str:
    """Fill in what a provider's path says of a query: {model} and {verb}."""
    if "{" not in path:
        return path
    return path.replace("{model}", quote(model, safe="@")).replace("{verb}", verb)
