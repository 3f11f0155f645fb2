"""What the wire costs in process: reading usage on the diagonal, translating across.

Single-threaded CPU time, the best of a few rounds: what others do meanwhile only ever adds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from farthing.wire import DIALECTS
from farthing.wire.canon import Answer, Request, Response, Stop, Tally, Text, Turn
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Ask, Usage
from farthing.wire.events import Begin, Count, End, Event, Finish, More, Open, Shut
from farthing.wire.translate import Translation

EVENTS, ROUNDS, TIMES = 200, 7, 20
WORD = "farthing "
TALLY = Tally(usage=Usage(input=100, output=EVENTS))
QUESTION = Request(
    dialect="none",
    model="m",
    turns=[Turn(role="user", parts=[Text(text="What is a farthing? " * 40)])],
    output_cap=100,
)
ANSWER = Response(
    dialect="none",
    id="id",
    model="m",
    created=1,
    answers=[Answer(parts=[Text(text=WORD * 100)], stop=Stop(kind="end"))],
    tally=TALLY,
)


def stream_of(name: str) -> list[bytes]:
    """Return a stream's events as they stand on the wire."""
    told: list[Event] = [
        Begin(dialect="none", id="id", model="m", created=1),
        Open(answer=0, part=0, content=Text(text="")),
        *[More(answer=0, part=0, text=WORD) for _ in range(EVENTS)],
        Shut(answer=0, part=0),
        Finish(answer=0, stop=Stop(kind="end")),
        Count(tally=TALLY),
        End(),
    ]
    writer = CODECS[name].stream_writer(Crossing("none", name))
    framing = DIALECTS[name].framing()
    return [framing.write(event) for slice_ in told for event in writer.write([slice_])]


def microseconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one call, in microseconds: the least of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(TIMES):
            work()
        best = min(best, (time.process_time_ns() - began) / 1000 / TIMES)
    return best


def streaming(here: str, there: str) -> float:
    """Return the CPU time for each event of a stream, in microseconds."""
    pieces, ask = stream_of(there), Ask(b"", {}, "m", wants_usage=True)

    def work() -> None:
        tap = DIALECTS[there].tap(ask)
        if here != there:
            tap = Translation(here, there).tap(tap, usage=True)
        for piece in pieces:
            tap.feed(piece)
        tap.rest()
        assert tap.answer().usage is not None, "the usage was read"

    return microseconds(work) / len(pieces)


def whole(here: str, there: str) -> float:
    """Return the CPU time of a request and its whole answer, in microseconds."""
    asked = msgspec.json.encode(CODECS[here].write_request(QUESTION, Crossing("none", here)))
    told = CODECS[there].write_response(ANSWER, Crossing("none", there))
    body = msgspec.json.encode(told)

    def work() -> None:
        ask = DIALECTS[here].read_request(asked)
        if here == there:
            assert DIALECTS[there].read_answer(body).usage is not None
            return
        translation = Translation(here, there)
        DIALECTS[there].read_request(translation.request(ask, strict=False))
        DIALECTS[there].read_answer(body)
        translation.whole(body)

    return microseconds(work)


def main() -> None:
    """Measure every pair of dialects and print both tables."""
    console = Console(highlight=False, width=400)
    for title, measure in (
        (f"CPU µs for each of {EVENTS} streamed events, read and passed on", streaming),
        ("CPU µs for a request of 1 kB and a whole answer of 1 kB", whole),
    ):
        table = Table(title=title, title_justify="left", box=None, title_style="bold")
        table.add_column("client \\ provider")
        for there in CODECS:
            table.add_column(there, justify="right")
        for here in CODECS:
            table.add_row(here, *(f"{measure(here, there):.1f}" for there in CODECS))
        console.print()
        console.print(table)


if __name__ == "__main__":
    main()
