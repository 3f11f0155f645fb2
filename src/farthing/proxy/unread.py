"""What is wrong with a request that cannot be read to its end."""

from __future__ import annotations

from farthing.errors import Malformed

# Headers that mean something to the gateway, of which only one can be meant.
SINGLE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"farthing-max-cost-usd",
        b"farthing-provider",
        b"host",
        b"transfer-encoding",
        b"x-api-key",
    }
)


def upgrading() -> Malformed:
    """Return the problem of a request for another protocol."""
    return Malformed("bad_request", "This gateway does not upgrade connections.")


def not_http(why: Exception) -> Malformed:
    """Return the problem of bytes that are no request."""
    return Malformed("bad_request", f"The request is not valid HTTP: {why}.")


def sent_twice(header: bytes) -> Malformed:
    """Return the problem of two headers that could mean two things."""
    return Malformed("bad_request", f"The header {header.decode()} is sent twice.")


def timed_out(part: str) -> Malformed:
    """Return the problem of a request whose "headers" or "body" never came."""
    return Malformed(
        "request_timeout", f"The request's {part} did not arrive in time; send it again."
    )


def headers_too_large(most: int) -> Malformed:
    """Return the problem of a head of more than so many bytes."""
    return Malformed(
        "headers_too_large",
        f"The request line and headers are larger than {most} bytes. Send fewer or shorter ones.",
    )


def body_too_large(most: int) -> Malformed:
    """Return the problem of a body of more than so many bytes."""
    return Malformed(
        "body_too_large",
        f"The body is larger than {most} bytes, the most this gateway takes. Its operator can "
        "raise max_body_bytes under [http] in farthing.toml.",
    )
