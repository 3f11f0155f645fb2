"""Administer a ledger from a command: through the running gateway, or in the journal itself."""

from __future__ import annotations

import asyncio
import getpass

from farthing import clock
from farthing.errors import ConfigError
from farthing.ledger.entry import Entry, Refusal, encode
from farthing.ledger.frames import FrameProtocol
from farthing.ledger.journal import Journal
from farthing.ledger.ledger import append_now, replay
from farthing.ledger.protocol import (
    Append,
    AskStanding,
    FromLedger,
    Outcome,
    ToLedger,
    decode_from_ledger,
)
from farthing.ledger.protocol import encode as encode_message
from farthing.ledger.standing import Standing, standing
from farthing.paths import DataFolder

ANSWER_SECONDS = 10


def who() -> str:
    """Return the operating system's name of whoever runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in a minimal container
        return "unknown"


async def record(data: DataFolder, entries: list[Entry]) -> list[Refusal | None]:
    """Record entries and return, for each, why it was not taken; durable when this returns."""
    asked: list[ToLedger] = [Append(number, entry) for number, entry in enumerate(entries)]
    answers = await _ask(data, asked)
    if answers is None:
        return _record_offline(data, entries)
    # A refusal is told at once, while an entry before it may still wait for the disk.
    told = {answer.number: answer.told for answer in answers if isinstance(answer, Outcome)}
    refusals = (told[number] for number in range(len(entries)))
    return [refusal if isinstance(refusal, Refusal) else None for refusal in refusals]


async def read_standing(data: DataFolder) -> Standing:
    """Return what the ledger stands at."""
    answers = await _ask(data, [AskStanding()])
    if answers is not None:
        assert isinstance(answers[0], Standing)
        return answers[0]
    journal = Journal(data.journal)
    try:
        state = replay(journal)
    finally:
        journal.close()
    return standing(state, clock.wall())


def _record_offline(data: DataFolder, entries: list[Entry]) -> list[Refusal | None]:
    """No gateway runs: open the journal, append, close."""
    journal = Journal(data.journal)
    try:
        state = replay(journal)
        outcomes = [state.enter(entry) for entry in entries]
        taken = [encode(entry) for _, entries in outcomes for entry in entries]
        if taken:
            append_now(journal, taken)
        return [refusal for refusal, _ in outcomes]
    finally:
        journal.close()


async def _ask(data: DataFolder, messages: list[ToLedger]) -> list[FromLedger] | None:
    """Ask the running ledger; None when none runs."""
    loop = asyncio.get_running_loop()
    path = data.socket("ledger")
    try:
        _, asking = await loop.create_unix_connection(_Asking, str(path))
    except OSError:
        return None
    try:
        for message in messages:
            asking.send(encode_message(message))
        async with asyncio.timeout(ANSWER_SECONDS):
            return [await asking.answers.get() for _ in messages]
    except TimeoutError:
        raise ConfigError("the running gateway's ledger does not answer; see its log") from None
    finally:
        asking.close()


class _Asking(FrameProtocol):
    def __init__(self) -> None:
        super().__init__()
        self.answers: asyncio.Queue[FromLedger] = asyncio.Queue()

    def message(self, data: bytes) -> None:
        """Queue an answer."""
        self.answers.put_nowait(decode_from_ledger(data))


def now() -> int:
    """Return the time for an administrative entry."""
    return clock.wall()
