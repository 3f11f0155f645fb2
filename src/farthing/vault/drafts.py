"""What is gathered of a query's contents while it runs, and brought into the vault before it ends.

A thread encrypts, writes and waits for the disk, for all queries at once; the event loop only
hashes the pieces of streams. A query's ending is recorded when its salts, and its contents if they
are to be kept, are on the disk: whoever sees a commitment can rely on there being a salt. The vault
is always synced, whatever `durability` says, since the log that shows the commitment outlives a
power cut.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import msgspec

from farthing.errors import Refused
from farthing.evidence.salt import commitment
from farthing.flow import OneShot
from farthing.ledger.entry import Settle, Unresolved, Void
from farthing.ledger.ledger import LedgerPort, Outcome
from farthing.ledger.search import ledger_in
from farthing.paths import DataFolder
from farthing.settings import Settings
from farthing.vault.keys import Keys, master_key
from farthing.vault.rules import Rules
from farthing.vault.segment import encode
from farthing.vault.writer import Record, Writer

log = logging.getLogger("farthing")

SALT_BYTES = 32
# A stream is handed to the thread in pieces of this size; each is a frame.
PART_BYTES = 64 * 1024
# What may wait for the disk; beyond it queries are refused and streams cut.
PENDING_MOST = 64 * 1024 * 1024
# What is encrypted and written in one piece.
GROUP_BYTES = 4 * 1024 * 1024
PROBE_SECONDS = 1.0

Ending = Settle | Unresolved


class Seal(msgspec.Struct, frozen=True, array_like=True):
    """The last record of a query's: with it, the commitments can be opened."""

    prompt_salt: bytes
    answer_salt: bytes
    prompt_bytes: int
    """How long the prompt was."""
    answer_bytes: int
    kept: bool
    """Whether contents were to be kept, and not only their salts."""


class Draft:
    """One query's contents until it ends."""

    def __init__(
        self, vault: Vault, query: str, lineage: tuple[str, ...], prompt: bytes, keep: bool
    ) -> None:
        """`prompt` is the request's body as the client sent it."""
        self.prompt = prompt
        self.salts = os.urandom(2 * SALT_BYTES)
        self.query = query
        self.lineage = lineage
        self.keep = keep
        self.waiting: list[bytes] = []
        """Pieces of the answer that were not handed over yet."""
        self.kept = 0
        """How many bytes of the answer are kept."""
        self.answer_bytes = 0
        self.part = 0
        self.cut = False
        self._vault = vault
        self._mac: hmac.HMAC | None = None
        self._waiting_bytes = 0

    def add(self, piece: bytes) -> None:
        """Take a piece of the answer as it is sent to the client."""
        if self._mac is None:
            self._mac = hmac.new(self.salts[SALT_BYTES:], digestmod="sha256")
        self._mac.update(piece)
        self._keep(piece)
        if self._waiting_bytes >= PART_BYTES:
            self._hand_over()

    def end(self, ending: Ending | Void, last: Callable[[], bytes], ledger: LedgerPort) -> Outcome:
        """Record the query's ending, with its commitments once they can be opened.

        `last` returns what of its answer is still to be sent.
        """
        if isinstance(ending, Void):  # nothing was sent, so nothing was asked of anybody
            return ledger.end(ending)
        try:
            rest = last()
        except Exception as problem:  # noqa: BLE001  (the ending must be recorded whatever happens)
            log.error("query %s: its answer has no end (%s)", self.query, type(problem).__name__)
            return ledger.end(msgspec.structs.replace(ending, contents="failed"))
        outcome: Outcome = OneShot()

        def done(told: dict[str, bytes | str]) -> None:
            recorded = ledger.end(msgspec.structs.replace(ending, **told))
            recorded.then(lambda: outcome.set(recorded.result()))

        finish = _Finish(self, rest, self._vault.most, done)
        size = len(self.prompt) + self._waiting_bytes + len(rest)
        self._vault.put(_Job(size, finish.records, finish.done))
        return outcome

    def _hand_over(self) -> None:
        """Have what was gathered of a stream written, so that memory holds little of it."""
        size, self._waiting_bytes = self._waiting_bytes, 0
        if self._vault.has_room(size):
            records = list(self.parts())
            self._vault.put(_Job(size, lambda: records, failed=self.keep_no_more))
        else:
            self.waiting.clear()
            self.keep_no_more()

    # -- in the vault's thread, at the end -----------------------------------------------------

    def finish(self, rest: bytes) -> tuple[bytes, bytes]:
        """Return the commitments to prompt and answer, of which `rest` is the end."""
        prompt = commitment(self.salts[:SALT_BYTES], self.prompt)
        self._keep(rest)
        if self._mac is None:
            return prompt, commitment(self.salts[SALT_BYTES:], rest)
        self._mac.update(rest)
        return prompt, self._mac.digest()

    def parts(self) -> Iterator[Record]:
        """Yield what is kept of the answer and was not handed over, in parts."""
        data = b"".join(self.waiting)
        self.waiting.clear()
        for record in _parts(self, "answer", self.part, data):
            self.part += 1
            yield record

    def keep_no_more(self) -> None:
        """Cut the answer off: what comes now would stand behind a gap."""
        self.cut = True

    def _keep(self, piece: bytes) -> None:
        self.answer_bytes += len(piece)
        if not self.keep:
            return
        room = 0 if self.cut else self._vault.most - self.kept
        if len(piece) > room:
            self.cut, piece = True, piece[:room]
        if piece:
            self.waiting.append(piece)
            self.kept += len(piece)
            self._waiting_bytes += len(piece)


def _parts(draft: Draft, field: str, first: int, data: bytes) -> Iterator[Record]:
    for number, at in enumerate(range(0, len(data), PART_BYTES), start=first):
        yield Record(draft.query, draft.lineage, field, number, data[at : at + PART_BYTES])


class _Job:
    """Records for the thread to write, and whom to tell."""

    def __init__(
        self,
        size: int,
        records: Callable[[], list[Record]],
        done: Callable[[BaseException | None], None] | None = None,
        failed: Callable[[], None] | None = None,
        probes: bool = False,
    ) -> None:
        """`done` is called in the event loop, `failed` at once in the thread."""
        self.size = size
        self.records = records
        self.done = done
        self.failed = failed
        self.probes = probes


class _Finish:
    """The last job of a query."""

    def __init__(
        self,
        draft: Draft,
        rest: bytes,
        most: int,
        told: Callable[[dict[str, bytes | str]], None],
    ) -> None:
        self._draft = draft
        self._rest = rest
        self._most = most
        self._told = told
        self._commitments: dict[str, bytes | str] = {}

    def records(self) -> list[Record]:
        """Return the records that are still to be written; the seal is the last."""
        draft, most = self._draft, self._most
        prompt, answer = draft.finish(self._rest)
        records: list[Record] = []
        if draft.keep:
            records += _parts(draft, "prompt", 0, draft.prompt[:most])
            records += draft.parts()
        sizes = (len(draft.prompt), draft.answer_bytes)
        salts = (draft.salts[:SALT_BYTES], draft.salts[SALT_BYTES:])
        seal = encode(Seal(*salts, *sizes, draft.keep))
        cut = draft.cut or len(draft.prompt) > most
        word = ("cut" if cut else "kept") if draft.keep else "committed"
        self._commitments = {"prompt": prompt, "answer": answer, "contents": word}
        return [*records, Record(draft.query, draft.lineage, "seal", 0, seal)]

    def done(self, error: BaseException | None) -> None:
        """Go on with the commitments, or without."""
        self._told(self._commitments if error is None else {"contents": "failed"})


class Vault:
    """A worker's side of the vault."""

    def __init__(self, rules: Rules, most: int, writer: Writer) -> None:
        """Must be made in a running event loop. `most` bounds what is kept of each content."""
        self.ready = True
        """Whether the disk took what it was given last."""
        self.most = most
        self._rules = rules
        self._writer = writer
        self._pending = 0
        self._probed = 0.0
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="vault", daemon=True)
        self._thread.start()

    def draft(self, query: str, lineage: tuple[str, ...], prompt: bytes) -> Draft | None:
        """Return where a query's contents go; None where policy wants nothing of them.

        Raises:
            Refused: they cannot be kept, so the query must not be sent.
        """
        keep = self._rules.of(lineage).keep
        if keep == "nothing":
            return None
        if not self.ready or not self.has_room(len(prompt)):
            self._probe()
            raise Refused(
                "vault_unavailable",
                "What is to be committed or kept of this query cannot be written at the moment, so "
                "it was not sent. Try again shortly; the gateway's operator finds the cause in its "
                "log.",
                retry_after=1,
            )
        return Draft(self, query, lineage, prompt, keep == "contents")

    def has_room(self, size: int) -> bool:
        """Say whether so many bytes more may wait for the disk; some always may."""
        return not self._pending or self._pending + size <= PENDING_MOST

    def put(self, job: _Job) -> None:
        """Hand a job to the thread."""
        self._pending += job.size
        self._jobs.put(job)

    async def close(self) -> None:
        """Write what is left, and let its queries end."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.sleep(0)  # what the thread told last

    def _probe(self) -> None:
        """Have the thread find out, now and then, whether the disk takes something again."""
        now = self._loop.time()
        if not self.ready and now >= self._probed:
            self._probed = now + PROBE_SECONDS
            self.put(_Job(0, list, probes=True))

    # -- the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        more = True
        while more:
            jobs: list[_Job] = []
            size = 0
            while more and size < GROUP_BYTES and not (jobs and self._jobs.empty()):
                job = self._jobs.get()
                more = job is not None
                if job is not None:
                    jobs.append(job)
                    size += job.size
            error: BaseException | None = None
            try:
                self._write(jobs)
            except Exception as problem:  # noqa: BLE001  (told to the loop, which refuses queries)
                error = problem
                for job in jobs:
                    if job.failed is not None:
                        job.failed()
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending
                self._loop.call_soon_threadsafe(self._written, jobs, error)
        self._writer.close()

    def _write(self, jobs: list[_Job]) -> None:
        records = [record for job in jobs for record in job.records()]
        if records:
            self._writer.write(records)
        elif any(job.probes for job in jobs):
            self._writer.probe()

    def _written(self, jobs: list[_Job], error: BaseException | None) -> None:
        if error is not None:
            log.error("the vault cannot be written (%s); queries are refused", error)
        elif jobs and not self.ready:
            log.info("the vault is written again")
        self.ready = error is None
        for job in jobs:
            self._pending -= job.size
            if job.done is not None:
                job.done(error)


def open_vault(settings: Settings, data: DataFolder, run: str) -> Vault | None:
    """Return the vault of a worker's run; None where no rule wants one.

    Raises:
        ConfigError: the master key is not the one that the vault was made with.
    """
    if not settings.contents:
        return None
    keys = Keys(data.vault, master_key(data))
    keys.all()  # now, rather than at the first query
    writer = Writer(data.vault, run, ledger_in(data.journal), keys)
    return Vault(Rules(settings.contents), settings.contents_bytes, writer)
