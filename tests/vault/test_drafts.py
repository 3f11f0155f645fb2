"""What is gathered of a query: its ending waits for the disk, hashes are of the whole, memory is
bounded, and a vault that fails loses no ending."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.support.application import ListLedger
from tests.support.evidence import settle
from tests.support.loopback import run, until
from tests.support.vault import LEDGER, MASTER, ORG, frames

from farthing.errors import ConfigError, Refused
from farthing.ledger.entry import Settle, Unresolved, Void
from farthing.paths import DataFolder
from farthing.settings import ContentsRule, Settings
from farthing.vault import drafts
from farthing.vault.contents import Content, read_contents
from farthing.vault.drafts import Draft, Vault, open_vault
from farthing.vault.keys import Keys
from farthing.vault.rules import Rules
from farthing.vault.writer import Record, Writer

KEEP = [ContentsRule("contents")]


class Gate(Writer):
    """A writer that waits at a gate, and fails when it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "w", LEDGER, Keys(folder, MASTER))
        self.open = threading.Event()
        self.open.set()
        self.problem: Exception | None = None
        self.groups: list[list[Record]] = []

    def write(self, records: Any) -> None:
        made = list(records)
        self.open.wait(10)
        if self.problem is not None:
            raise self.problem
        self.groups.append(made)
        super().write(made)

    def probe(self) -> None:
        if self.problem is not None:
            raise self.problem
        super().probe()


Test = Callable[[Vault, Gate, ListLedger], Coroutine[Any, Any, None]]


def with_vault(
    folder: Path, test: Test, rules: list[ContentsRule] = KEEP, most: int = 1000
) -> None:
    """Run a test with a vault of its own."""

    async def work() -> None:
        gate = Gate(folder)
        vault = Vault(Rules(rules), most, gate)
        try:
            await test(vault, gate, ListLedger())
        finally:
            gate.open.set()
            await vault.close()

    run(work())


def draft(vault: Vault, prompt: bytes = b"ask") -> Draft:
    made = vault.draft("q1", ORG, prompt)
    assert made is not None
    return made


def kept(folder: Path) -> dict[str, Content]:
    found = read_contents(folder, Keys(folder, MASTER), LEDGER, "q1")
    assert found is not None
    return found


def test_a_whole_answer_is_kept_and_committed_to(tmp_path: Path) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        assert await draft(vault).end(settle(1), lambda: b"tell", ledger).in_task() is None
        (ending,) = ledger.endings
        assert isinstance(ending, Settle) and ending.contents == "kept"
        found = kept(tmp_path)
        assert found["prompt"].data == b"ask" and found["answer"].data == b"tell"
        for field, data in (("prompt", b"ask"), ("answer", b"tell")):
            salt = found[field].salt
            assert len(salt) == 32
            assert getattr(ending, field) == hmac.digest(salt, data, "sha256")
        assert found["prompt"].salt != found["answer"].salt

    with_vault(tmp_path, test)


def test_every_query_has_salts_of_its_own(tmp_path: Path) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        for _ in range(2):
            await draft(vault).end(settle(1), lambda: b"same", ledger).in_task()
        one, other = ledger.endings
        assert isinstance(one, Settle) and isinstance(other, Settle)
        assert one.answer != other.answer and one.prompt != other.prompt

    with_vault(tmp_path, test)


def test_of_commitments_only_the_salts_are_kept(tmp_path: Path) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        made = draft(vault)
        made.add(b"te")
        await made.end(settle(1), lambda: b"ll", ledger).in_task()
        assert [f.label.field for f in frames(tmp_path) if f.label] == ["seal"]
        found, (ending,) = kept(tmp_path), ledger.endings
        assert isinstance(ending, Settle) and ending.contents == "committed"
        assert found["answer"] == Content(found["answer"].salt, 4, None)
        assert ending.answer == hmac.digest(found["answer"].salt, b"tell", "sha256")

    with_vault(tmp_path, test, [ContentsRule("commitments")])


def test_where_policy_wants_nothing_there_is_no_draft(tmp_path: Path) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        assert vault.draft("q1", ORG, b"ask") is None
        assert vault.draft("q1", ("key:k9",), b"ask") is not None

    with_vault(tmp_path, test, [*KEEP, ContentsRule("nothing", "org:acme")])


def test_the_ending_is_recorded_when_its_salts_are_on_the_disk_and_not_before(
    tmp_path: Path,
) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        gate.open.clear()
        outcome = draft(vault).end(settle(1), lambda: b"tell", ledger)
        assert not outcome.done and not ledger.endings and not frames(tmp_path)
        gate.open.set()
        await outcome.in_task()
        assert ledger.endings and len(frames(tmp_path)) == 3

    with_vault(tmp_path, test)


def test_a_query_that_was_never_sent_is_nowhere(tmp_path: Path) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        void = Void(1, "q1", "not_sent")
        assert draft(vault).end(void, lambda: b"", ledger).done
        assert ledger.endings == [void]

    with_vault(tmp_path, test)
    assert not frames(tmp_path)


def test_an_unresolved_query_commits_to_what_its_client_was_sent(tmp_path: Path) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        made = draft(vault)
        made.add(b"half an ")
        await made.end(Unresolved(1, "q1", "upstream_reset"), lambda: b"fault", ledger).in_task()
        (ending,) = ledger.endings
        assert isinstance(ending, Unresolved) and ending.contents == "kept"
        assert kept(tmp_path)["answer"].data == b"half an fault"
        assert kept(tmp_path)["answer"].opens(ending.answer)

    with_vault(tmp_path, test)


def test_a_long_stream_is_written_as_it_comes_and_hashed_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "PART_BYTES", 10)

    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        made, pieces = draft(vault), [bytes([n]) * 7 for n in range(20)]
        for number, piece in enumerate(pieces):
            made.add(piece)
            assert sum(map(len, made.waiting)) < 10 + 7, number
        await until(lambda: bool(gate.groups))
        assert not ledger.endings, "parts are on the disk before it ends"
        await made.end(settle(1), lambda: b"end", ledger).in_task()
        (ending,) = ledger.endings
        assert isinstance(ending, Settle) and ending.contents == "kept"
        found = kept(tmp_path)["answer"]
        assert found.data == b"".join(pieces) + b"end" and found.opens(ending.answer)
        assert max(len(r.data) for group in gate.groups for r in group if r.field != "seal") <= 10

    with_vault(tmp_path, test)


@pytest.mark.parametrize(("prompt", "answer"), [(200, 3), (3, 200), (101, 100), (100, 101)])
def test_what_is_too_long_is_cut_and_says_so_and_the_hash_is_of_all(
    tmp_path: Path, prompt: int, answer: int
) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        made = draft(vault, b"p" * prompt)
        for _ in range(answer - 1):
            made.add(b"a")
        await made.end(settle(1), lambda: b"a", ledger).in_task()
        (ending,), found = ledger.endings, kept(tmp_path)
        assert isinstance(ending, Settle) and ending.contents == "cut"
        for field, size, letter in (("prompt", prompt, b"p"), ("answer", answer, b"a")):
            content = found[field]
            assert content.size == size and content.data == letter * min(size, 100)
            assert content.whole is (size <= 100)
            assert getattr(ending, field) == hmac.digest(content.salt, letter * size, "sha256")

    with_vault(tmp_path, test, most=100)


def test_when_the_vault_fails_the_ending_is_recorded_without_and_says_so(tmp_path: Path) -> None:
    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        gate.problem = OSError("No space left on device")
        outcome = draft(vault).end(settle(1), lambda: b"tell", ledger)
        assert await outcome.in_task() is None
        (ending,) = ledger.endings
        assert isinstance(ending, Settle)
        assert (ending.contents, ending.prompt, ending.answer) == ("failed", b"", b"")
        with pytest.raises(Refused) as refused:
            vault.draft("q2", ORG, b"ask")
        assert (refused.value.code, refused.value.status) == ("vault_unavailable", 503)
        gate.problem = None
        await until(lambda: _taken(vault))

    with_vault(tmp_path, test)


def _taken(vault: Vault) -> bool:
    try:
        return vault.draft("q3", ORG, b"ask") is not None
    except Refused:
        vault._probed = 0.0  # or it would ask the disk only once a second
        return False


def test_a_part_that_was_lost_cuts_the_answer_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "PART_BYTES", 10)

    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        made = draft(vault)
        made.add(b"0123456789")
        await until(lambda: len(gate.groups) == 1)
        gate.problem = OSError("No space left on device")
        made.add(b"abcdefghij")
        await until(lambda: not vault.ready)
        gate.problem = None
        made.add(b"ABCDEFGHIJ")
        await made.end(settle(1), lambda: b"end", ledger).in_task()
        (ending,), found = ledger.endings, kept(tmp_path)["answer"]
        assert isinstance(ending, Settle) and ending.contents == "cut"
        assert found.data == b"0123456789" and not found.whole
        whole = b"0123456789abcdefghijABCDEFGHIJend"
        assert ending.answer == hmac.digest(found.salt, whole, "sha256")

    with_vault(tmp_path, test)


def test_while_the_disk_is_slow_memory_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "PART_BYTES", 10)
    monkeypatch.setattr(drafts, "PENDING_MOST", 50)

    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        gate.open.clear()
        made = draft(vault)
        for _ in range(100):
            made.add(b"0123456789")
        assert vault._pending <= 50 and not made.waiting
        with pytest.raises(Refused):
            vault.draft("q2", ORG, b"p" * 60)
        gate.open.set()
        await made.end(settle(1), lambda: b"end", ledger).in_task()
        (ending,), found = ledger.endings, kept(tmp_path)["answer"]
        assert isinstance(ending, Settle) and ending.contents == "cut"
        assert found.data == b"0123456789" * 5
        assert ending.answer == hmac.digest(found.salt, b"0123456789" * 100 + b"end", "sha256")

    with_vault(tmp_path, test)


def test_an_answer_without_an_end_is_recorded_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def last() -> bytes:
        raise ValueError("CANARY of the answer")

    async def test(vault: Vault, gate: Gate, ledger: ListLedger) -> None:
        assert draft(vault).end(settle(1), last, ledger).done
        (ending,) = ledger.endings
        assert isinstance(ending, Settle) and ending.contents == "failed"

    with_vault(tmp_path, test)
    assert "CANARY" not in caplog.text


def test_what_waits_is_written_before_it_closes(tmp_path: Path) -> None:
    ledger = ListLedger()

    async def test(vault: Vault, gate: Gate, _: ListLedger) -> None:
        gate.open.clear()
        draft(vault).end(settle(1), lambda: b"tell", ledger)
        gate.open.set()

    with_vault(tmp_path, test)
    (ending,) = ledger.endings
    assert isinstance(ending, Settle) and ending.contents == "kept"


def test_there_is_a_vault_where_a_rule_wants_one_and_its_key_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, settings = DataFolder(tmp_path), Settings(contents=KEEP)
    data.journal.mkdir()

    async def test() -> None:
        assert open_vault(Settings(), data, "w") is None
        vault = open_vault(settings, data, "w")
        assert vault is not None
        await draft(vault).end(settle(1), lambda: b"", ListLedger()).in_task()
        await vault.close()
        monkeypatch.setenv("FARTHING_VAULT_KEY", "00" * 32)
        with pytest.raises(ConfigError, match="put back"):
            open_vault(settings, data, "w")

    run(test())
