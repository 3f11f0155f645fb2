"""A stream is a response in slices: `fold` gathers one, `unfold` slices one.

So any whole answer can be streamed in any dialect, and any stream can be answered whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from farthing.errors import Malformed
from farthing.wire.canon import Answer, Part, Problem, Reasoning, Refusal, Response, Text, ToolCall
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, More, Open, Shut

# A stream with more answers or parts than this is nobody's answer.
MOST_ANSWERS, MOST_PARTS = 128, 4096


class Folder:
    """Gathers the events of one stream."""

    def __init__(self) -> None:
        self.problem: Problem | None = None
        """The error with which it broke off, if it did."""
        self._response = Response(dialect="")
        self._pieces: dict[tuple[int, int], list[str]] = {}

    def take(self, event: Event) -> None:
        """Take one event.

        Raises:
            Malformed: it does not fit what came before.
        """
        if isinstance(event, More):
            self._more(event)
        elif isinstance(event, Open):
            self._open(event)
        elif isinstance(event, Shut):
            self._shut(event)
        elif isinstance(event, Finish):
            self._answer(event.answer).stop = event.stop
        elif isinstance(event, Count):
            self._response.tally = event.tally
        elif isinstance(event, Begin):
            self._begin(event)
        elif isinstance(event, Fault):
            self.problem = event.problem

    def response(self) -> Response:
        """Return the response as it is so far."""
        for place, pieces in self._pieces.items():
            _set_text(self._part(*place), "".join(pieces))
        return self._response

    def _begin(self, event: Begin) -> None:
        self._response = msgspec.structs.replace(
            self._response,
            dialect=event.dialect,
            id=event.id,
            model=event.model,
            created=event.created,
            tally=event.tally or self._response.tally,
        )

    def _answer(self, index: int) -> Answer:
        answers = self._response.answers
        if not 0 <= index < MOST_ANSWERS:
            raise Malformed("invalid_field", f"A stream has no answer number {index}.")
        while len(answers) <= index:
            answers.append(Answer())
        return answers[index]

    def _part(self, answer: int, part: int) -> Part:
        parts = self._answer(answer).parts
        if not 0 <= part < len(parts):
            raise Malformed("invalid_field", f"A stream goes on with part {part}, not begun yet.")
        return parts[part]

    def _open(self, event: Open) -> None:
        parts = self._answer(event.answer).parts
        if event.part != len(parts) or event.part >= MOST_PARTS:
            raise Malformed("invalid_field", f"A stream begins part {event.part} out of turn.")
        parts.append(_copy(event.content))
        self._pieces[event.answer, event.part] = [_text(event.content)]

    def _more(self, event: More) -> None:
        part = self._part(event.answer, event.part)
        if event.text:
            self._pieces[event.answer, event.part].append(event.text)
        if event.citation is not None and isinstance(part, Text):
            part.citations.append(event.citation)
        if event.signature is not None and isinstance(part, Text | ToolCall | Reasoning):
            part.signature = event.signature
        if event.encrypted and isinstance(part, Reasoning):
            part.encrypted += event.encrypted
        self._answer(event.answer).logprobs.extend(event.logprobs)

    def _shut(self, event: Shut) -> None:
        self._part(event.answer, event.part)
        if event.content is not None:
            self._answer(event.answer).parts[event.part] = _copy(event.content)
            self._pieces[event.answer, event.part] = [_text(event.content)]


def fold(events: Iterable[Event]) -> Response:
    """Return the response that a stream's events make.

    Raises:
        Malformed: they do not fit together.
    """
    folder = Folder()
    for event in events:
        folder.take(event)
    return folder.response()


def unfold(response: Response) -> Iterator[Event]:
    """Yield the events of a stream that says what a response does."""
    yield Begin(
        dialect=response.dialect, id=response.id, model=response.model, created=response.created
    )
    for number, answer in enumerate(response.answers):
        for index, part in enumerate(answer.parts):
            yield from _slices(number, index, part)
        if answer.logprobs and answer.parts:
            last = len(answer.parts) - 1
            yield More(answer=number, part=last, logprobs=answer.logprobs)
        if answer.parts:
            yield Shut(answer=number, part=len(answer.parts) - 1)
        if answer.stop is not None:
            yield Finish(answer=number, stop=answer.stop)
    if response.tally is not None:
        yield Count(tally=response.tally)
    yield End()


def _slices(answer: int, index: int, part: Part) -> Iterator[Event]:
    """Yield a part's events, after the end of the one before."""
    if index:
        yield Shut(answer=answer, part=index - 1)
    yield Open(answer=answer, part=index, content=_emptied(part))
    if text := _text(part):
        yield More(answer=answer, part=index, text=text)
    if isinstance(part, Text):
        for citation in part.citations:
            yield More(answer=answer, part=index, citation=citation)
    if isinstance(part, Reasoning) and part.encrypted:
        yield More(answer=answer, part=index, encrypted=part.encrypted)
    if isinstance(part, Text | ToolCall | Reasoning) and part.signature is not None:
        yield More(answer=answer, part=index, signature=part.signature)


def _text(part: Part) -> str:
    """Return the text of a part that grows."""
    if isinstance(part, Text | Reasoning | Refusal):
        return part.text
    return part.arguments if isinstance(part, ToolCall) else ""


def _set_text(part: Part, text: str) -> None:
    if isinstance(part, Text | Reasoning | Refusal):
        part.text = text
    elif isinstance(part, ToolCall):
        part.arguments = text


def _copy(part: Part) -> Part:
    """Return a part that can grow without changing the event it came with."""
    if isinstance(part, Text):
        return msgspec.structs.replace(part, citations=list(part.citations))
    return msgspec.structs.replace(part)


def _emptied(part: Part) -> Part:
    """Return a part as it begins: without what comes as More."""
    if isinstance(part, Text):
        return msgspec.structs.replace(part, text="", citations=[], signature=None)
    if isinstance(part, Reasoning):
        return msgspec.structs.replace(part, text="", encrypted="", signature=None)
    if isinstance(part, Refusal):
        return msgspec.structs.replace(part, text="")
    if isinstance(part, ToolCall):
        return msgspec.structs.replace(part, arguments="", signature=None)
    return part
