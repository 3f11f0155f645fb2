"""Signature Version 4: AWS's published test suite, and its documentation's example."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from farthing.wire.converse.sigv4 import (
    Credentials,
    Sent,
    canonical_path,
    canonical_query,
    canonical_request,
    model_path,
    sign,
    signing_key,
)

# The suite's own; a secret to nobody.
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials("AKIDEXAMPLE", SECRET)
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = {"Host": "example.amazonaws.com"}
FORM = "application/x-www-form-urlencoded"
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmx"
    "fpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0K"
    "PkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZb"
    "qBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


def get(path: str = "/", *query: tuple[str, str], **headers: str) -> Sent:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent("GET", path, {**HOST, **named}, query)


def post(body: bytes = b"", *query: tuple[str, str], **headers: str) -> Sent:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent("POST", "/", {**HOST, **named}, query, body)


SUITE: dict[str, tuple[Sent, str]] = {
    "get-vanilla": (get(), VANILLA),
    "get-relative": (get("/example/.."), VANILLA),
    "get-relative-relative": (get("/example1/example2/../.."), VANILLA),
    "get-slash": (get("//"), VANILLA),
    "get-slash-dot-slash": (get("/./"), VANILLA),
    "get-slash-pointless-dot": (
        get("/./example"),
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    "get-slashes": (
        get("//example//"),
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    "get-space": (
        get("/example space/"),
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    "get-unreserved": (
        get(f"/{UNRESERVED}"),
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    "get-utf8": (
        get("/ሴ"),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    "get-header-value-trim": (
        get(My_Header1=" value1", My_Header2=' "a   b   c"'),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "get-vanilla-query-order-key-case": (
        get("/", ("Param2", "value2"), ("Param1", "value1")),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-vanilla-query-unreserved": (
        get("/", (UNRESERVED, UNRESERVED)),
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    "get-vanilla-utf8-query": (
        get("/", ("ሴ", "bar")),
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    "post-vanilla": (
        post(),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "post-header-value-case": (
        post(My_Header1="VALUE1"),
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    "post-vanilla-query-nonunreserved": (
        post(b"", ("@#$%^", ""), ("+", '/,?><`";:\\|][{}')),
        "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e",
    ),
    "post-x-www-form-urlencoded": (
        post(b"Param1=value1", Content_Type=FORM),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
    "post-x-www-form-urlencoded-parameters": (
        post(b"Param1=value1", Content_Type=f"{FORM}; charset=utf8"),
        "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
    ),
}


def signature(headers: dict[str, str]) -> str:
    return headers["authorization"].partition("Signature=")[2]


@pytest.mark.parametrize("name", SUITE)
def test_the_published_suite(name: str) -> None:
    sent, wanted = SUITE[name]
    assert signature(sign(sent, CREDENTIALS, "us-east-1", AT, "service")) == wanted


def test_a_session_token_is_signed() -> None:
    credentials = Credentials("AKIDEXAMPLE", SECRET, TOKEN)
    headers = sign(post(), credentials, "us-east-1", AT, "service")
    assert headers == {
        "x-amz-date": "20150830T123600Z",
        "x-amz-security-token": TOKEN,
        "authorization": "AWS4-HMAC-SHA256 "
        "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    }


def test_the_documentation_s_example() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
    headers = {"Host": "iam.amazonaws.com", "Content-Type": f"{FORM}; charset=utf-8"}
    query = (("Action", "ListUsers"), ("Version", "2010-05-08"))
    signed = sign(Sent("GET", "/", headers, query), CREDENTIALS, "us-east-1", AT, "iam")
    wanted = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    assert signature(signed) == wanted
    key = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    assert signing_key(SECRET, "20150830", "us-east-1", "iam").hex() == key


PATHS = {
    "anthropic.claude-3-sonnet-20240229-v1:0": (
        "/model/anthropic.claude-3-sonnet-20240229-v1%3A0/converse",
        "/model/anthropic.claude-3-sonnet-20240229-v1%253A0/converse",
    ),
    "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova": (
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.amazon.nova/converse",
        "/model/arn%253Aaws%253Abedrock%253Aus-east-1%253A1%253Ainference-profile%252Fus.amazon.nova"
        "/converse",
    ),
}


@pytest.mark.parametrize("model", PATHS)
def test_a_model_is_encoded_on_the_wire_and_once_more_when_signed(model: str) -> None:
    on_wire, signed = PATHS[model]
    path = model_path(model, "converse")
    assert path == on_wire
    assert canonical_path(path) == signed
    request, _ = canonical_request(Sent("POST", path, HOST), {})
    assert request.splitlines()[1] == signed


def test_a_path_cannot_leave_its_root() -> None:
    assert canonical_path("/../../a") == "/a"
    assert canonical_path("") == "/"


def test_a_query_is_in_order() -> None:
    assert canonical_query([("b", "2"), ("a", "2"), ("a", "1 +")]) == "a=1%20%2B&a=2&b=2"
    assert canonical_query([]) == ""


CHANGES: list[dict[str, Any]] = [
    {"method": "PUT"},
    {"path": "/a"},
    {"headers": {"Host": "example.com"}},
    {"query": (("a", "b"),)},
    {"body": b"{}"},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_everything_that_is_sent_is_signed(change: dict[str, Any]) -> None:
    whole: dict[str, Any] = {"method": "POST", "path": "/", "headers": HOST} | change
    assert signature(sign(Sent(**whole), CREDENTIALS, "us-east-1", AT)) != signature(
        sign(post(), CREDENTIALS, "us-east-1", AT)
    )


def test_a_secret_is_not_shown() -> None:
    shown = repr(Credentials("AKIDEXAMPLE", SECRET, TOKEN))
    assert SECRET not in shown
    assert TOKEN not in shown
