"""The headers that are farthing's own: what clients may ask by them, what answers tell."""

from __future__ import annotations

from functools import lru_cache

from farthing import money
from farthing.errors import Malformed
from farthing.policy.path import read_tags
from farthing.proxy.request import Request
from farthing.route.plan import Route
from farthing.wire import DIALECTS
from farthing.wire.dialect import Dialect

MAX_COST_HEADER = b"farthing-max-cost-usd"
STRICT_HEADER = b"farthing-strict"
PROVIDER_HEADER = b"farthing-provider"
USER_HEADER = b"farthing-user"
TAGS_HEADER = b"farthing-tags"

# Clients bound an answer's headers to some kilobytes; names of fields can be of any length.
LOSSES_MOST = 2000

# More digits than any count has.
DIGITS_MOST = 15


def max_cost(request: Request, of_key: int | None) -> int | None:
    """Return the most a query may cost, in nanodollars: the smaller of its own and its key's cap.

    Raises:
        Malformed: the header is not an amount.
    """
    told = request.headers.get(MAX_COST_HEADER)
    if told is None:
        return of_key
    try:
        cap = money.nanodollars(told.decode("latin-1").strip())
    except ValueError as error:
        raise Malformed("invalid_header", f"{MAX_COST_HEADER.decode()}: {error}.") from None
    return cap if of_key is None else min(cap, of_key)


def of_dialect(request: Request, dialect: Dialect) -> dict[str, str]:
    """Return the client's headers that are a dialect's own."""
    if not dialect.passed_headers:
        return {}
    named = ((name, request.headers.get(name.encode())) for name in dialect.passed_headers)
    return {name: told.decode("latin-1") for name, told in named if told is not None}


def own(request: Request, route: Route) -> dict[str, str]:
    """Return the headers of the dialect that is spoken with a provider: the client's, and where
    it sends none, those that the provider is to get."""
    own = of_dialect(request, DIALECTS[route.dialect])
    usual = route.provider.headers.get(route.dialect)
    return {**usual, **own} if usual else own


def strict(request: Request) -> bool:
    """Return whether nothing but hints may be lost in a translation.

    Raises:
        Malformed: the header is neither true nor false.
    """
    told = request.headers.get(STRICT_HEADER, b"false").lower()
    if told not in (b"true", b"false"):
        raise Malformed("invalid_header", f"{STRICT_HEADER.decode()}: write true or false.")
    return told == b"true"


def provider(request: Request) -> str:
    """Return the provider a request names, where no model of it does; "" when it names none."""
    return request.headers.get(PROVIDER_HEADER, b"").decode("latin-1").strip()


def user(request: Request) -> str:
    """Return the end user that a client names beside its request."""
    return request.headers.get(USER_HEADER, b"").decode("utf-8", "replace").strip()


def tags(request: Request) -> tuple[str, ...]:
    """Return the tags that a query is counted under.

    Raises:
        Malformed: there are too many, or one is too long.
    """
    told = request.headers.get(TAGS_HEADER)
    return () if told is None else read_tags(told.decode("utf-8", "replace"))


def warning(text: str) -> bytes:
    """Return the header that tells of a soft limit that was passed."""
    return b"farthing-warning: %s\r\n" % _text(text)


def named(query: str, provider: str, model: str) -> bytes:
    """Return the headers that every answer of a provider gets."""
    return b"farthing-request-id: %s\r\n%s" % (query.encode(), _model(provider, model))


@lru_cache(maxsize=1024)
def _model(provider: str, model: str) -> bytes:
    name = f"{provider}/{model}" if model else provider
    return b"farthing-model: %s\r\n" % _text(name).replace(b" ", b"?")


def output_cap(tokens: int) -> bytes:
    """Return the header that tells an output cap that farthing set or lowered."""
    return b"farthing-output-cap-tokens: %d\r\n" % tokens


def cost(usd: int) -> bytes:
    """Return the header that tells what a query cost."""
    return b"farthing-cost-usd: %s\r\n" % money.dollars(usd).encode()


def unpriced(why: str) -> bytes:
    """Return the header that tells that a query has no price, and why."""
    return b"farthing-unpriced: %s\r\n" % why.encode()


def losses(lost: tuple[str, ...]) -> bytes:
    """Return the header that names what a translation lost; nothing for nothing."""
    text = ", ".join(lost)
    if len(text) > LOSSES_MOST:
        text = text[:LOSSES_MOST] + " ..."
    return b"farthing-losses: %s\r\n" % _text(text) if lost else b""


def retyped(passed: bytes, kind: bytes) -> bytes:
    """Return a provider's header lines with another content type."""
    lines = (line for line in passed.split(b"\r\n") if not line.startswith(b"content-type:"))
    return b"\r\n".join((b"content-type: %s" % kind, *lines))


def input_tokens(name: str, tokens: int) -> bytes:
    """Return the header in which a dialect tells its input's tokens; nothing if it has none."""
    return b"%s: %d\r\n" % (name.encode(), tokens) if name else b""


def number(passed: bytes, name: str) -> int | None:
    """Return the whole number that one of a provider's header lines tells; None without it."""
    start = name.lower().encode() + b": "
    found = (line[len(start) :].strip() for line in passed.split(b"\r\n") if line.startswith(start))
    told = next(found, b"") if name else b""
    return int(told) if told.isdigit() and len(told) <= DIGITS_MOST else None


def _text(text: str) -> bytes:
    """Return a text as a header's value: what has no place in one becomes a question mark."""
    return bytes(byte if 32 <= byte < 127 else 63 for byte in text.encode())
