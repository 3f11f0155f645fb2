"""Grants: what a credentials file says, and the form that asks for a token with it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.support.google import ACCOUNT, pem, service_account, verified

from farthing.clock import SECOND
from farthing.errors import ConfigError
from farthing.providers.grants import USER_TOKEN_URI, Grant, read_grant, token_request

URI = "https://oauth2.example.com/token"
USER = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r&="}


def read(told: dict[str, Any]) -> tuple[Grant, str]:
    return read_grant(json.dumps(told))


def refused(told: object) -> str:
    with pytest.raises(ConfigError) as problem:
        read_grant(json.dumps(told))
    return str(problem.value)


def test_a_service_account_signs_an_assertion_that_its_public_key_verifies() -> None:
    grant, secret = read(service_account(URI))
    claims = verified(token_request(grant, secret, "a b", 1_800_000_000 * SECOND))
    assert claims == {
        "iss": ACCOUNT,
        "scope": "a b",
        "aud": URI,
        "iat": 1_800_000_000,
        "exp": 1_800_003_600,
    }
    assert grant.project == "project-1"


def test_another_key_s_signature_is_none() -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    grant, secret = read(service_account(URI, private_key=pem(other)))
    with pytest.raises(InvalidSignature):
        verified(token_request(grant, secret, "a", 0))


def test_a_user_s_refresh_token_is_sent() -> None:
    grant, secret = read(USER)
    assert grant.token_uri == USER_TOKEN_URI
    assert parse_qs(token_request(grant, secret, "a", 0).decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r&="],
        "client_id": ["c"],
        "client_secret": ["s"],
    }


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([], "is no JSON object"),
        ({"type": "external_account"}, "has type 'external_account'"),
        (service_account(URI, client_email=""), "lacks a part"),
        (service_account("not an address"), "lacks a part"),
        (service_account(URI, private_key=""), "lacks a part"),
        (service_account(URI, private_key="c2VjcmV0"), "cannot be read as PEM"),
        (service_account(URI, private_key=pem(ec.generate_private_key(ec.SECP256R1()))), "RSA"),
        ({**USER, "refresh_token": ""}, "lacks a part"),
    ],
)
def test_what_cannot_be_used_is_said_without_showing_it(told: Any, words: str) -> None:
    said = refused(told)
    assert words in said
    assert "PRIVATE KEY" not in said and "c2VjcmV0" not in said


def test_a_grant_does_not_show_its_secrets() -> None:
    grant, _ = read(USER)
    assert repr(grant) == "Grant(authorized_user c)"
