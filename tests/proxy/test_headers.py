"""The headers that are farthing's own: read strictly, written safely."""

from __future__ import annotations

import pytest

from farthing.errors import Malformed
from farthing.proxy import headers
from farthing.proxy.request import Request


def request(**lines: str) -> Request:
    made = Request()
    made.headers = {k.replace("_", "-").encode(): v.encode() for k, v in lines.items()}
    return made


@pytest.mark.parametrize(
    ("told", "of_key", "most"),
    [
        (None, None, None),
        (None, 5, 5),
        ("0.000000003", None, 3),
        ("0.000000003", 5, 3),
        (" 0.000000009 ", 5, 5),
        ("0", None, 0),
    ],
)
def test_the_smaller_price_cap_counts(told: str | None, of_key: int | None, most: int) -> None:
    asked = request() if told is None else request(farthing_max_cost_usd=told)
    assert headers.max_cost(asked, of_key) == most


@pytest.mark.parametrize("told", ["", "much", "-1", "1e999999", "nan", "0.0000000001"])
def test_a_price_cap_that_is_no_amount_is_malformed(told: str) -> None:
    with pytest.raises(Malformed, match="farthing-max-cost-usd: "):
        headers.max_cost(request(farthing_max_cost_usd=told), None)


def test_a_translation_is_strict_only_when_asked() -> None:
    assert not headers.strict(request())
    assert not headers.strict(request(farthing_strict="False"))
    assert headers.strict(request(farthing_strict="true"))
    with pytest.raises(Malformed, match="write true or false"):
        headers.strict(request(farthing_strict="1"))


@pytest.mark.parametrize(
    ("told", "user"), [(None, ""), ("", ""), ("  ", ""), (" ann ", "ann"), ("é 7", "é 7")]
)
def test_the_end_user_is_what_the_header_says(told: str | None, user: str) -> None:
    asked = request() if told is None else request(farthing_user=told)
    assert headers.user(asked) == user


def test_bytes_that_are_no_text_are_still_some_user_and_some_tag() -> None:
    asked = request()
    asked.headers = {headers.USER_HEADER: b"a\xff", headers.TAGS_HEADER: b"b\xff, c"}
    assert headers.user(asked) == "a\ufffd"
    assert headers.tags(asked) == ("b\ufffd", "c")


def test_tags_are_listed_in_one_header() -> None:
    assert headers.tags(request()) == ()
    assert headers.tags(request(farthing_tags="")) == ()
    assert headers.tags(request(farthing_tags="blue, customer:7")) == ("blue", "customer:7")
    with pytest.raises(Malformed, match="farthing-tags: name at most 8 tags"):
        headers.tags(request(farthing_tags="a," * 9))


def test_a_warning_is_one_line_whatever_a_scope_is_called() -> None:
    line = headers.warning("user:é\r\nset-cookie: x is at $6 of $5 a month")
    assert line == b"farthing-warning: user:????set-cookie: x is at $6 of $5 a month\r\n"


def test_what_answers_tell() -> None:
    assert headers.named("q1", "acme", "m\r\nx: é") == (
        b"farthing-request-id: q1\r\nfarthing-model: acme/m??x:???\r\n"
    )
    assert headers.named("q1", "acme", "").endswith(b"farthing-model: acme\r\n")
    assert headers.unpriced("unbounded") == b"farthing-unpriced: unbounded\r\n"
    assert headers.output_cap(9) == b"farthing-output-cap-tokens: 9\r\n"
    assert headers.cost(2_500_000) == b"farthing-cost-usd: 0.0025\r\n"
    assert headers.losses(("hint user", "shape seed")) == (
        b"farthing-losses: hint user, shape seed\r\n"
    )
    assert headers.losses(()) == b""


def test_the_names_of_what_was_lost_cannot_grow_without_end() -> None:
    line = headers.losses(tuple(f"shape field-{n}" for n in range(10_000)))
    assert len(line) < headers.LOSSES_MOST + 50
    assert line.endswith(b" ...\r\n")


def test_a_provider_can_be_named() -> None:
    assert headers.provider(request(farthing_provider=" acme ")) == "acme"
    assert headers.provider(request()) == ""


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (b"a: 1\r\nx-tokens: 12\r\n", 12),
        (b"x-tokens: 0\r\n", 0),
        (b"x-tokens: -1\r\n", None),
        (b"x-tokens: many\r\n", None),
        (b"x-tokens: 9999999999999999\r\n", None),
        (b"not-x-tokens: 5\r\n", None),
        (b"", None),
    ],
)
def test_a_number_is_read_off_a_provider_s_headers(passed: bytes, told: int | None) -> None:
    assert headers.number(passed, "X-Tokens") == told
    assert headers.number(passed, "") is None


def test_a_dialect_without_such_a_header_gets_none() -> None:
    assert headers.input_tokens("x-tokens", 5) == b"x-tokens: 5\r\n"
    assert headers.input_tokens("", 5) == b""
