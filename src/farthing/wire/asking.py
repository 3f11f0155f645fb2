"""What decides a request's price, read off its canonical form, where no faster way is needed."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from farthing.errors import Malformed
from farthing.wire.canon import JSON, Media, Opaque, Part, Request, ToolResult
from farthing.wire.dialect import Ask
from farthing.wire.splice import read_object

TEXT = "text/plain"


def decoded(body: bytes) -> JSON:
    """Return a request's body as decoded JSON.

    Raises:
        Malformed: it is no JSON object.
    """
    read_object(body)  # for its errors, which say what is wrong
    try:
        found: JSON = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("invalid_json", f"The body is not readable JSON: {error}.") from None
    return found


def ask_of(request: Request, body: bytes, unbounded_fields: Collection[str]) -> Ask:
    """Return what a request asks; fields named in `unbounded_fields` have a cost without bound."""
    seen = _Seen()
    for turn in request.turns:
        seen.look(turn.parts)
    unbounded = [f"`{name}`" for name in unbounded_fields if request.rest.get(name) is not None]
    unbounded += [f"tool `{tool.type}`" for tool in request.tools if isinstance(tool, Opaque)]
    thinking = request.thinking
    budget = (thinking.budget or 0) if thinking is not None else 0
    cap = request.output_cap or 0
    return Ask(
        body=body,
        fields=read_object(body),
        model=request.model,
        stream=request.stream,
        output_cap=cap if cap > 0 else None,
        least_output=max(0, budget) + 1,
        choices=max(1, request.answers or 1),
        cache_marks=True,
        tools=bool(request.tools),
        images=seen.images,
        opaque_bytes=seen.bytes,
        opaque=tuple(seen.opaque),
        unbounded=tuple(unbounded + seen.unbounded),
    )


class _Seen:
    """The media in a request."""

    def __init__(self) -> None:
        self.images = 0
        self.bytes = 0
        self.opaque: list[tuple[str, str]] = []
        self.unbounded: list[str] = []

    def look(self, parts: list[Part]) -> None:
        """Count what is there, tool results included."""
        for part in parts:
            if isinstance(part, Media) and part.kind == "image":
                self.images += 1
                self.bytes += len(part.data)
            elif isinstance(part, Media):
                if not _is_text(part):
                    self.opaque.append((part.kind, f"content part `{part.kind}`"))
            elif isinstance(part, Opaque):
                self.unbounded.append(f"content part `{part.type}`")
            elif isinstance(part, ToolResult):
                self.look(part.parts)


def _is_text(part: Media) -> bool:
    """Whether its bytes, in base64 too, bound its tokens: a text that is not cut up for citing."""
    return bool(part.data) and part.mime == TEXT and "citations" not in part.rest
