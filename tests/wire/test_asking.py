"""What decides a request's price, read off its canonical form."""

from __future__ import annotations

import pytest

from farthing.errors import Malformed
from farthing.wire.asking import ask_of, decoded
from farthing.wire.canon import Media, Opaque, Part, Request, Text, Thinking, Tool, ToolResult, Turn


def request(*parts: Part, **fields: object) -> Request:
    turns = [Turn(role="user", parts=list(parts))]
    return Request(dialect="gemini", model="m", turns=turns, **fields)  # type: ignore[arg-type]


def test_a_plain_request() -> None:
    ask = ask_of(request(Text(text="x"), output_cap=7, answers=2), b'{"a":1}', ())
    assert (ask.model, ask.output_cap, ask.choices, ask.least_output) == ("m", 7, 2, 1)
    assert (ask.body, ask.images, ask.unbounded, ask.tools) == (b'{"a":1}', 0, (), False)
    assert ask.cache_marks and ask.wants_usage


@pytest.mark.parametrize("cap", [None, 0, -5])
def test_a_cap_that_bounds_nothing_is_none(cap: int | None) -> None:
    assert ask_of(request(output_cap=cap), b"{}", ()).output_cap is None


def test_images_count_by_number_wherever_they_stand() -> None:
    image = Media(kind="image", data="AAAA", mime="image/png")
    ask = ask_of(request(image, ToolResult(call="c", parts=[image])), b"{}", ())
    assert (ask.images, ask.opaque_bytes, ask.unbounded) == (2, 8, ())


@pytest.mark.parametrize("kind", ["audio", "document", "video"])
def test_other_media_are_opaque_and_named(kind: str) -> None:
    media = Media(kind=kind, data="AAAA")  # type: ignore[arg-type]
    ask = ask_of(request(ToolResult(call="c", parts=[media])), b"{}", ())
    assert (ask.opaque, ask.unbounded) == (((kind, f"content part `{kind}`"),), ())


def test_the_bytes_of_a_text_bound_it_though_it_is_a_document() -> None:
    text = {"kind": "document", "mime": "text/plain"}
    inside = Media(data="eA==", **text)  # type: ignore[arg-type]
    cited = Media(data="eA==", rest={"citations": {"enabled": True}}, **text)  # type: ignore[arg-type]
    elsewhere = Media(file="f", **text)  # type: ignore[arg-type]
    pdf = Media(kind="document", data="eA==", mime="application/pdf")
    opaque = {str(m): bool(ask_of(request(m), b"{}", ()).opaque) for m in (inside, cited, pdf)}
    assert list(opaque.values()) == [False, True, True]
    assert ask_of(request(elsewhere), b"{}", ()).opaque


def test_what_nobody_understands_has_no_bound() -> None:
    of = request(Opaque(type="run"), tools=[Opaque(type="search"), Tool(name="f")])
    assert ask_of(of, b"{}", ()).unbounded == ("tool `search`", "content part `run`")


def test_fields_that_are_said_to_have_no_bound() -> None:
    of = request(rest={"guard": {"id": 1}, "other": 3, "none": None})
    assert ask_of(of, b"{}", ("guard", "none", "missing")).unbounded == ("`guard`",)


@pytest.mark.parametrize(("budget", "least"), [(None, 1), (1024, 1025), (-1, 1)])
def test_a_thinking_budget_needs_room(budget: int | None, least: int) -> None:
    of = request(thinking=Thinking(budget=budget))
    assert ask_of(of, b"{}", ()).least_output == least


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":' * 100_000])
def test_what_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decoded(body)
