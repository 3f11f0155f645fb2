"""The canonical model of embeddings: what was not said is empty, and nothing is shared."""

from farthing.wire.embed.canon import Input, Request, Response, Vector


def test_what_was_not_said_is_empty() -> None:
    request = Request(dialect="d")
    assert (request.inputs, request.kinds, request.task, request.cut) == ([], [], "", "")
    assert request.dimensions is None
    assert Response(dialect="d").usage is None, "unknown, not zero"
    assert Input().tokens is None


def test_no_two_nodes_share_what_is_in_them() -> None:
    Request(dialect="d").inputs.append(Input(text="x"))
    Vector().values["float"] = [1]
    assert Request(dialect="d").inputs == []
    assert Vector().values == {}
