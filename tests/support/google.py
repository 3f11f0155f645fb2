"""Credentials files with a real key, and a token service that verifies what is signed with it."""

from __future__ import annotations

import asyncio
import base64
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from tests.support.loopback import Loopback, http

ACCOUNT = "gateway@project-1.iam.example.com"


@functools.cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(private: Any = None) -> str:
    form = serialization.PrivateFormat.PKCS8
    encoding, bare = serialization.Encoding.PEM, serialization.NoEncryption()
    return (private or key()).private_bytes(encoding, form, bare).decode()


def service_account(token_uri: str, **fields: Any) -> dict[str, Any]:
    told = {
        "type": "service_account",
        "project_id": "project-1",
        "private_key_id": "key-1",
        "private_key": pem(),
        "client_email": ACCOUNT,
        "token_uri": token_uri,
    }
    return {**told, **fields}


def write(folder: Path, told: dict[str, Any]) -> Path:
    file = folder / "credentials.json"
    file.write_text(json.dumps(told))
    return file


def verified(form: bytes) -> dict[str, Any]:
    """Return the claims of an assertion whose signature is the key's."""
    fields = parse_qs(form.decode(), strict_parsing=True)
    assert fields["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    said, _, signature = fields["assertion"][0].rpartition(".")
    assert "=" not in said
    key().public_key().verify(_decoded(signature), said.encode(), padding.PKCS1v15(), SHA256())
    header, claims = (json.loads(_decoded(part)) for part in said.split("."))
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    return claims  # type: ignore[no-any-return]


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def granting(
    answer: Callable[[int], bytes] | None = None, wait: asyncio.Event | None = None
) -> Loopback:
    """Return a token service: its n-th answer is "token-n", once the event is set."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await server.read(reader)
            if wait is not None:
                await wait.wait()
            number = len(server.requests)
            if answer is None:
                verified(request.partition(b"\r\n\r\n")[2])
                told = {"access_token": f"token-{number}", "expires_in": 3599}
                writer.write(http(json.dumps(told).encode()))
            else:
                writer.write(answer(number))
            await writer.drain()

    server = Loopback(script)
    return server
