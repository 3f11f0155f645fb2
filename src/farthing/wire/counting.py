"""Counting a request's tokens before it is sent, in the dialect of Anthropic's Messages.

Providers count for nothing, so such a query holds nothing and costs nothing; it is recorded.
https://docs.anthropic.com/en/api/messages-count-tokens
"""

from __future__ import annotations

from farthing.wire.dialect import Answer, Ask, Dialect, Usage
from farthing.wire.messages import MESSAGES
from farthing.wire.messages.request import write_request
from farthing.wire.splice import read_field, read_object


def read_request(body: bytes) -> Ask:
    """Read whose tokens are to be counted.

    Raises:
        Malformed: not a JSON object.
    """
    fields = read_object(body)
    model = read_field(fields, "model", str, "")
    return Ask(body=body, fields=fields, model=model, makes_output=False, free=True)


def read_answer(body: bytes) -> Answer:
    """Read a whole answer: a count is an answer that used nothing."""
    return Answer(usage=Usage() if MESSAGES.read_count(body) is not None else None)


COUNTING = Dialect(
    name="counting",
    path="/messages/count_tokens",
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    read_count=MESSAGES.read_count,
    tap=MESSAGES.tap,
    error=MESSAGES.error,
    fault=MESSAGES.fault,
    model_list=MESSAGES.model_list,
    crosses=False,
    passed_headers=MESSAGES.passed_headers,
    required_headers=MESSAGES.required_headers,
    check=MESSAGES.check,
)
