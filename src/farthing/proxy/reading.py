"""Reading both sides of a query: the client's request, and an answer that cannot be read."""

from __future__ import annotations

from farthing.errors import Failed, Malformed
from farthing.providers import Provider
from farthing.proxy import headers
from farthing.proxy.head import Head
from farthing.proxy.http import JSON_TYPE
from farthing.proxy.request import Request
from farthing.wire.dialect import Answer, Ask, Dialect, Target


def read(request: Request, dialect: Dialect, target: Target | None) -> tuple[Ask, str]:
    """Return what a client asks, and the model's name as the body has it.

    What the path says (`target`) counts; a body that names another model must not be sent so.

    Raises:
        Malformed: the dialect cannot read it.
    """
    kind = request.headers.get(b"content-type", b"")
    ask = dialect.read(request.body, kind, target)
    ask.headers = headers.of_dialect(request, dialect)
    written = ask.model
    if target is not None:
        ask.model = target.model
        if target.stream is not None:
            ask.stream = target.stream
    return ask, written


def sent_as(request: Request, ask: Ask, target: Target | None) -> tuple[str, str, bytes]:
    """Return what a request keeps on its way: its method, what follows its dialect's path, and
    the content type of its body, b"" for none."""
    kept = target is not None and target.operation is not None
    kind = request.headers.get(b"content-type", b"") if request.body else b""
    if not kept and ask.form is None:
        kind = JSON_TYPE  # it was read as that, and must not be as anything else
    return request.method.decode(), target.tail if target is not None else "", kind


def answered(dialect: Dialect, ask: Ask, passed: bytes, body: bytes) -> Answer:
    """Read a whole answer; its usage may stand beside it, or have been counted before."""
    answer = dialect.read_answer(body)
    if answer.usage is not None or dialect.read_counted is None:
        return answer
    tokens = headers.number(passed, dialect.usage_header)
    tokens = ask.counted_input if tokens is None else tokens
    return answer if tokens is None else dialect.read_counted(body, tokens)


def let_go(request: Request, ask: Ask, head: Head) -> None:
    """Drop what a stream does not need that has begun: it may be open for minutes."""
    request.body = ask.body = head.passed = b""
    ask.fields = {}


def unreadable(provider: Provider, problem: Malformed) -> Failed:
    """Return the error of an answer that came, and cannot be translated."""
    return Failed(
        "upstream_malformed",
        f"{provider.name}'s answer cannot be translated: {problem.message} It was billed.",
    )
