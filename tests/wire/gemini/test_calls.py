"""Calls of functions and their results."""

from __future__ import annotations

from farthing.wire.canon import Media, Opaque, Part, Text, ToolCall, ToolResult
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.calls import Ids, write_call, write_result


def test_results_find_their_calls_by_the_name_in_order() -> None:
    ids = Ids()
    assert [ids.call("f", None), ids.call("g", None), ids.call("f", "x")] == [
        "call_0",
        "call_1",
        "x",
    ]
    assert ids.result("f", None) == "call_0"
    assert ids.result("f", "x") == "x"
    assert ids.result("g", None) == "call_1"
    assert ids.result("g", None) == "call_2"


def test_an_id_that_others_would_refuse_is_not_used() -> None:
    assert Ids("r-1").call("f", None) == "call_r-1_0"
    assert Ids("a b").call("f", None) == "call_0"


def test_a_custom_call_cannot_be_said() -> None:
    crossing = Crossing("chat", "gemini")
    assert write_call(ToolCall(id="a", name="f", arguments="x", custom=True), crossing) is None
    assert {loss.severity for loss in crossing.losses} == {"meaning"}


def test_a_result_with_a_picture_is_written() -> None:
    picture = Media(kind="image", mime="image/png", data="iVBORw0KGgo=")
    parts: list[Part] = [Text(text="a"), picture, Text(text="b"), Opaque(type="search_result")]
    crossing = Crossing("messages", "gemini")
    assert write_result(ToolResult(call="x", parts=parts), {"x": "draw"}, crossing) == {
        "functionResponse": {
            "id": "x",
            "name": "draw",
            "response": {"output": "a\nb"},
            "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}],
        }
    }
    assert {loss.what for loss in crossing.losses} == {"tool_result.search_result"}
