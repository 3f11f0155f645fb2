"""What is said of requests that cannot be read."""

from __future__ import annotations

import pytest

from farthing.errors import Malformed
from farthing.proxy import unread


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (unread.upgrading(), "bad_request", "does not upgrade"),
        (unread.not_http(ValueError("no colon")), "bad_request", "no colon"),
        (unread.sent_twice(b"host"), "bad_request", "host is sent twice"),
        (unread.timed_out("body"), "request_timeout", "body did not arrive"),
        (unread.headers_too_large(7), "headers_too_large", "7 bytes"),
        (unread.body_too_large(9), "body_too_large", "max_body_bytes"),
    ],
)
def test_each_problem_says_what_it_is(problem: Malformed, code: str, said: str) -> None:
    assert problem.code == code and said in problem.message
