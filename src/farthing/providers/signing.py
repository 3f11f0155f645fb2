"""Signatures for providers that want each request signed rather than a key sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from farthing.wire.converse.sigv4 import Credentials, Sent, sign

# bedrock-runtime.eu-west-1.amazonaws.com, bedrock-runtime.us-gov-west-1.amazonaws.com
_region = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.").search


class Signer(Protocol):
    """What of a provider a signature is made from."""

    @property
    def base_url(self) -> str: ...

    @property
    def place(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def key_id(self) -> str: ...

    @property
    def session(self) -> str: ...


def signature(provider: Signer, path: str, body: bytes, at: int) -> bytes:
    """Return the header lines that sign a POST; `at` is in nanoseconds since the Unix epoch."""
    host = urlsplit(provider.base_url).netloc
    found = _region(host)
    sent = Sent("POST", path, {"host": host}, body=body)
    credentials = Credentials(provider.key_id, provider.key, provider.session)
    moment = datetime.fromtimestamp(at / 1e9, UTC)
    added = sign(sent, credentials, found[1] if found else provider.place, moment)
    return "".join(f"{name}: {value}\r\n" for name, value in added.items()).encode()
