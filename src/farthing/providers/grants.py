"""Grants: what a provider's access tokens are asked for with, where a key is not sent itself.

Two kinds, told by the credentials file: a service account signs an assertion with its private key
(RFC 7523, with RS256 of RFC 7518); an authorized user has a refresh token (RFC 6749 §6).
https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import base64
from urllib.parse import urlencode, urlsplit

import msgspec

from farthing.clock import SECOND
from farthing.errors import ConfigError

# The longest an assertion may be good for, by the page above.
ASSERTION_SECONDS = 3600

SERVICE, USER = "service_account", "authorized_user"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

# Where a user's refresh token is good; their files need not say so.
USER_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  (an address)


class Grant(msgspec.Struct, frozen=True):
    """Credentials but for their secret, which is the provider's key."""

    kind: str
    token_uri: str
    client: str
    """The service account's address, or the user's client."""
    key_id: str = ""
    client_secret: str = ""
    project: str = ""

    def __repr__(self) -> str:
        return f"Grant({self.kind} {self.client})"


class _File(msgspec.Struct):
    type: str = ""
    token_uri: str = ""
    client_email: str = ""
    private_key: str = ""
    private_key_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    project_id: str = ""
    quota_project_id: str = ""


_decode = msgspec.json.Decoder(_File).decode


def read_grant(text: str) -> tuple[Grant, str]:
    """Return what a credentials file grants, and its secret.

    Raises:
        ConfigError: it is no file of a kind that is known, or lacks something. The sentence never
            shows what is in it.
    """
    try:
        told = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError("is no JSON object of credentials") from None
    if told.type == SERVICE:
        found = Grant(
            SERVICE, told.token_uri, told.client_email, told.private_key_id, "", told.project_id
        )
        return _whole(found, told.private_key)
    if told.type == USER:
        uri = told.token_uri or USER_TOKEN_URI
        found = Grant(USER, uri, told.client_id, "", told.client_secret, told.quota_project_id)
        return _whole(found, told.refresh_token)
    raise ConfigError(f"has type {told.type[:40]!r}; it must be {SERVICE!r} or {USER!r}")


def _whole(grant: Grant, secret: str) -> tuple[Grant, str]:
    """Check that nothing is missing, now rather than when a query waits for it."""
    if not (secret and grant.client and urlsplit(grant.token_uri).hostname):
        raise ConfigError(f"lacks a part that {grant.kind!r} needs")
    if grant.kind == SERVICE:
        _sign(secret, b"", checked=False)
    return grant, secret


def token_request(grant: Grant, secret: str, scope: str, at: int) -> bytes:
    """Return the form that asks for an access token; `at` is in nanoseconds since the epoch."""
    if grant.kind == SERVICE:
        assertion = _assertion(grant, secret, scope, at // SECOND)
        return urlencode({"grant_type": JWT_BEARER, "assertion": assertion}).encode()
    fields = {"client_id": grant.client, "client_secret": grant.client_secret}
    return urlencode({"grant_type": "refresh_token", "refresh_token": secret, **fields}).encode()


def _assertion(grant: Grant, secret: str, scope: str, now: int) -> str:
    """Return a signed assertion (RFC 7515 §3.1)."""
    header = {"alg": "RS256", "typ": "JWT"} | ({"kid": grant.key_id} if grant.key_id else {})
    times = {"iat": now, "exp": now + ASSERTION_SECONDS}
    claims = {"iss": grant.client, "scope": scope, "aud": grant.token_uri, **times}
    said = b".".join(_base64url(msgspec.json.encode(part)) for part in (header, claims))
    return b".".join((said, _base64url(_sign(secret, said, checked=True)))).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _sign(private_key: str, data: bytes, *, checked: bool) -> bytes:
    """Sign with RSASSA-PKCS1-v1_5 and SHA-256. To check a key takes some hundred milliseconds, in
    which no query goes on; so one that was `checked` when it was read is not again.

    Raises:
        ConfigError: the key cannot be read, or is none of RSA.
    """
    # Only gateways with such a provider need it: some megabytes in each worker.
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(
            private_key.encode(), password=None, unsafe_skip_rsa_key_validation=checked
        )
    except Exception:  # noqa: BLE001  (of many kinds, and their texts may show the key)
        raise ConfigError("has a private_key that cannot be read as PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError("has a private_key that is none of RSA, which RS256 needs")
    return key.sign(data, padding.PKCS1v15(), SHA256())
