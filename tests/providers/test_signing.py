"""Signed requests: what is signed is what is sent, in the region of the address."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
import pytest

from farthing.providers.load import built_in, load_providers
from farthing.providers.signing import signature
from farthing.settings import Settings
from farthing.wire.converse.sigv4 import Credentials, Sent, sign

ENVIRON = {
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "SECRET",
    "AWS_REGION": "eu-central-1",
}
AT = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()) * 10**9
PATH = "/model/a%3A0/converse"


def lines(raw: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in raw.decode().split("\r\n") if line)


def test_a_request_is_signed_with_the_environment_s_credentials() -> None:
    provider = load_providers(Settings(), ENVIRON)["bedrock"]
    assert (provider.auth, provider.usable()) == ("signed", True)
    assert provider.host == "bedrock-runtime.eu-central-1.amazonaws.com"
    told = lines(signature(provider, PATH, b"{}", AT))
    assert told["x-amz-date"] == "20260102T030405Z"
    assert "Credential=AKID/20260102/eu-central-1/bedrock/" in told["authorization"]
    sent = Sent("POST", PATH, {"host": provider.host}, body=b"{}")
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert told == sign(sent, Credentials("AKID", "SECRET"), "eu-central-1", moment)
    assert "SECRET" not in str(told)


def test_a_session_s_token_goes_along() -> None:
    environ = {**ENVIRON, "AWS_SESSION_TOKEN": "TOKEN"}
    provider = load_providers(Settings(), environ)["bedrock"]
    assert lines(signature(provider, PATH, b"{}", AT))["x-amz-security-token"] == "TOKEN"


def test_a_key_of_its_own_comes_first() -> None:
    environ = {**ENVIRON, "AWS_BEARER_TOKEN_BEDROCK": "KEY"}
    provider = load_providers(Settings(), environ)["bedrock"]
    assert (provider.auth, provider.key) == ("bearer", "KEY")


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_a_credential_is_none(missing: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != missing}
    assert not load_providers(Settings(), environ)["bedrock"].usable()


def test_the_region_is_that_of_the_address() -> None:
    provider = load_providers(Settings(), ENVIRON)["bedrock"]
    other = "https://bedrock-runtime.us-gov-west-1.amazonaws.com"
    elsewhere = msgspec.structs.replace(provider, base_url=other)
    told = lines(signature(elsewhere, PATH, b"{}", AT))["authorization"]
    assert re.search(r"Credential=AKID/\d+/us-gov-west-1/bedrock/", told)


def test_a_provider_whose_place_nobody_told_is_not_usable() -> None:
    assert "{place}" in built_in("azure").base_url
    keyed = {"AZURE_OPENAI_API_KEY": "k"}
    assert not load_providers(Settings(), keyed)["azure"].usable()
    told = {**keyed, "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com/"}
    provider = load_providers(Settings(), told)["azure"]
    assert provider.usable()
    assert provider.base_url == "https://mine.openai.azure.com/openai/v1"
