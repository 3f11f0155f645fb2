"""Find the key in a request's headers."""

from __future__ import annotations

from farthing.proxy.request import Request

KEY_HEADERS = (b"x-api-key", b"x-goog-api-key", b"api-key")


def credential(request: Request) -> str:
    """Return the key a request carries, in any of the usual headers; "" when in none."""
    authorization = request.headers.get(b"authorization", b"")
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() == b"bearer":
        return token.strip().decode("latin-1")
    for name in KEY_HEADERS:
        if (key := request.headers.get(name)) is not None:
            return key.strip().decode("latin-1")
    return ""
