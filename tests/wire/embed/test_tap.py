"""Embeddings are not streamed."""

from farthing.wire.dialect import Answer, Ask
from farthing.wire.embed.tap import no_stream


def test_a_stream_passes_and_says_nothing() -> None:
    seen = no_stream(Ask(body=b"", fields={}, model="m"))
    assert seen.feed(b"data: {}\n\n") + seen.rest() == b"data: {}\n\n"
    assert seen.answer() == Answer()
