"""AWS Signature Version 4: what a request to Bedrock carries as proof of who sent it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

import msgspec

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "bedrock"


class Credentials(msgspec.Struct, frozen=True):
    """A key of AWS's; a temporary one comes with a session token."""

    access_key: str
    secret_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        return f"Credentials(access_key={self.access_key!r})"


class Sent(msgspec.Struct, frozen=True):
    """A request as it will be sent."""

    method: str
    path: str
    """As on the wire, so percent-encoded: see `model_path`."""
    headers: Mapping[str, str]
    """The headers to sign, the host among them: only such as no one changes on the way."""
    query: tuple[tuple[str, str], ...] = ()
    """Names and values, not encoded."""
    body: bytes = b""


def model_path(model: str, operation: str) -> str:
    """Return the path of an operation such as "converse-stream" on a model.

    A model's id may contain colons and, where it is an ARN, slashes; both are encoded.
    """
    return f"/model/{_encoded(model)}/{operation}"


def sign(
    sent: Sent, credentials: Credentials, region: str, at: datetime, service: str = SERVICE
) -> dict[str, str]:
    """Return the headers to add to a request.

    Args:
        at: The moment of sending, in UTC; AWS refuses one that is more than five minutes off.
    """
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-date": stamp}
    if credentials.session_token:
        added["x-amz-security-token"] = credentials.session_token
    request, signed = canonical_request(sent, added)
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    told = "\n".join([ALGORITHM, stamp, scope, sha256(request.encode()).hexdigest()])
    key = signing_key(credentials.secret_key, stamp[:8], region, service)
    proof = hmac.new(key, told.encode(), sha256).hexdigest()
    who = f"Credential={credentials.access_key}/{scope}"
    return {
        **added,
        "authorization": f"{ALGORITHM} {who}, SignedHeaders={signed}, Signature={proof}",
    }


def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """Return the key of a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


def canonical_request(sent: Sent, added: Mapping[str, str]) -> tuple[str, str]:
    """Return the text that is signed, and the names of the headers in it."""
    given = {name.lower(): " ".join(value.split()) for name, value in sent.headers.items()}
    headers = sorted({**given, **added}.items())
    names = ";".join(name for name, _ in headers)
    lines = [
        sent.method,
        canonical_path(sent.path),
        canonical_query(sent.query),
        *(f"{name}:{value}" for name, value in headers),
        "",
        names,
        sha256(sent.body).hexdigest(),
    ]
    return "\n".join(lines), names


def canonical_path(path: str) -> str:
    """Return a path as it is signed: its dots and doubled slashes resolved, encoded once more.

    So a colon, which is %3A on the wire, is signed as %253A: every service but S3 wants it so.
    """
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(_encoded(segment))
    last = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{last}"


def canonical_query(query: Iterable[tuple[str, str]]) -> str:
    """Return a query as it is signed: encoded and in order."""
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
