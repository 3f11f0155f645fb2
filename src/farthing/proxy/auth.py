"""Find the key in a request's headers."""

from __future__ import annotations

from farthing.proxy.server import Request


def credential(request: Request) -> str:
    """Return the key a request carries, in either of the two usual headers; "" when in neither."""
    authorization = request.headers.get(b"authorization", b"")
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() == b"bearer":
        return token.strip().decode("latin-1")
    return request.headers.get(b"x-api-key", b"").strip().decode("latin-1")
