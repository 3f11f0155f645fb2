"""Privacy: what is kept is what policy says, no content is anywhere else, what is erased is gone,
and every proof stays valid. With a real gateway of two workers and its real log."""

from __future__ import annotations

import hmac
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import one_line
from tests.support.evidence import standalone
from tests.support.gateway import Answer, RunningGateway
from tests.support.provider import FakeProvider
from tests.support.vault import all_bytes, frames, records, write
from typer.testing import CliRunner, Result

from farthing import clock
from farthing.cli.main import app
from farthing.evidence.note import Verifier
from farthing.evidence.receipt import Receipt
from farthing.evidence.source import source_of
from farthing.evidence.verify import verify_consistency, verify_folder
from farthing.ledger.entry import Scope, Settle, Unresolved
from farthing.ledger.reported import Erasure
from farthing.ledger.search import ledger_in
from farthing.paths import DataFolder
from farthing.policy.keys import make_key
from farthing.vault.contents import Content, read_contents
from farthing.vault.keys import Keys, master_key
from farthing.vault.rules import DAY

RULES = """
[[contents]]
keep = "commitments"
[[contents]]
scope = "org:acme"
keep = "nothing"
[[contents]]
scope = "team:legal"
keep = "contents"
retention_days = 30
"""
CANARY = "CANARY-7f3a-of-the-prompt"
ANSWER = b"four farthings make a penny"


class Keeping:
    """A gateway that keeps for a team, commits for a key of its own, and else does nothing."""

    def __init__(self, folder: Path, provider: FakeProvider) -> None:
        self.provider = provider
        folder.mkdir()
        _write_old(DataFolder(folder / "data"))
        self.toml = "workers = 2\n" + RULES + provider.toml()
        self.folder = folder
        self.start()
        gateway, now = self.gateway, clock.wall()
        gateway.enter(Scope(now, "test", "org:acme"))
        gateway.enter(Scope(now, "test", "team:legal", "org:acme"))
        self.keys = {mode: self._key(scope) for mode, scope in SCOPES.items()}

    def _key(self, parent: str) -> str:
        new = make_key("test", self.gateway.data.pepper(), clock.wall(), "test", parent=parent)
        self.gateway.enter(new.entry)
        return new.text

    def start(self) -> None:
        self.gateway = RunningGateway(self.folder, self.toml)

    @property
    def data(self) -> DataFolder:
        return self.gateway.data

    def ask(self, mode: str, text: str = CANARY, **fields: Any) -> Answer:
        messages = [{"role": "user", "content": text}]
        return self.gateway.chat(self.keys[mode], messages=messages, max_tokens=9, **fields)

    def ending(self, query: str) -> Settle | Unresolved:
        ends = (e for e in self.gateway.entries() if isinstance(e, Settle | Unresolved))
        return next(entry for entry in ends if entry.id == query)

    def kept(self, query: str) -> dict[str, Content] | None:
        keys, vault = Keys(self.data.vault, master_key(self.data)), self.data.vault
        return read_contents(vault, keys, ledger_in(self.data.journal), query)

    def cli(self, *arguments: str, status: int = 0) -> Result:
        environ = {"FARTHING_DATA": str(self.data.root), "FARTHING_CONFIG": ""}
        result = CliRunner().invoke(app, list(arguments), env=environ)
        assert result.exit_code == status, f"{result.output}{result.stderr}{result.exception!r}"
        return result


SCOPES = {"nothing": "org:acme", "committed": "", "kept": "team:legal"}


def _write_old(data: DataFolder) -> None:
    """Leave something in the vault whose time was over before the gateway starts."""
    keys, now, real = Keys(data.vault, master_key(data)), clock.wall(), clock.wall
    clock.wall = lambda: now - 31 * DAY
    try:
        write(data.vault, records("q-old", b"old", lineage=("key:k", "team:legal")), keys=keys)
    finally:
        clock.wall = real


@pytest.fixture(scope="module")
def keeping(
    tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider
) -> Iterator[Keeping]:
    made = Keeping(tmp_path_factory.mktemp("keeping") / "gateway", shared_provider)
    yield made
    made.gateway.stop()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("mode", SCOPES)
def test_each_scope_gets_what_its_rule_says(keeping: Keeping, mode: str, stream: bool) -> None:
    answer = keeping.ask(mode, stream=stream)
    assert answer.status == 200
    ending, found = keeping.ending(answer.query), keeping.kept(answer.query)
    assert ending.contents == {"nothing": ""}.get(mode, mode)
    if found is None:
        assert mode == "nothing" and not ending.prompt and not ending.answer
        return
    sent = json.dumps(
        {
            "model": "echo", "messages": [{"role": "user", "content": CANARY}], "max_tokens": 9,
            "stream": stream,
        }
    ).encode()  # fmt: skip
    for field, data in (("prompt", sent), ("answer", answer.body)):
        committed = hmac.digest(found[field].salt, data, "sha256")
        assert getattr(ending, field) == committed, "not what the client sent and got"
        assert found[field].data == (data if mode == "kept" else None)


@pytest.mark.parametrize(
    ("model", "stream"),
    [
        ("rate-limited", False), ("bad-gateway", False), ("no-usage", True), ("resets", False),
        ("too-large", False), ("in-bytes", True), ("closes-mid-body", True),
    ],
)  # fmt: skip
def test_whatever_the_client_is_sent_is_what_is_committed_to(
    keeping: Keeping, model: str, stream: bool
) -> None:
    answer = keeping.ask("kept", model=model, stream=stream)
    found, ending = keeping.kept(answer.query), keeping.ending(answer.query)
    assert found is not None and found["answer"].data == answer.body
    assert found["answer"].opens(ending.answer)


def test_across_dialects_it_is_the_clients_own_bytes(keeping: Keeping) -> None:
    body = {"model": "echo", "max_tokens": 9, "messages": [{"role": "user", "content": CANARY}]}
    for path in ("/v1/responses", "/v1/messages"):
        asked = body if path == "/v1/messages" else {"model": "echo", "input": CANARY}
        for stream in (False, True):
            answer = keeping.gateway.request(
                "POST", path, asked | {"stream": stream}, keeping.keys["kept"]
            )
            assert answer.status == 200, answer.body
            found = keeping.kept(answer.query)
            assert found is not None and found["answer"].data == answer.body
            assert found["answer"].opens(keeping.ending(answer.query).answer)
            assert CANARY.encode() in (found["prompt"].data or b"")


def test_two_workers_write_at_once(keeping: Keeping) -> None:
    with ThreadPoolExecutor(6) as pool:
        asked = list(pool.map(lambda n: (n, keeping.ask("kept", f"number {n}")), range(30)))
    runs = {frame.path.name.split("-", 1)[1] for frame in frames(keeping.data.vault)}
    assert len(runs) >= 2, "only one of them wrote"
    for number, answer in asked:
        found = keeping.kept(answer.query)
        assert found is not None and f'"number {number}"'.encode() in (found["prompt"].data or b"")
        assert found["prompt"].opens(keeping.ending(answer.query).prompt)


def test_no_content_is_anywhere_in_plain(keeping: Keeping) -> None:
    """Not in the journal, the records, the log's tiles, the vault, or what the gateway logged."""
    salts = []
    for mode in SCOPES:
        for model in ("echo", "rate-limited", "no-usage", "too-large", "not-http"):
            query = keeping.ask(mode, model=model).query
            found = keeping.kept(query) or {}
            salts += [content.salt for content in found.values()]
    keeping.gateway.request("POST", "/v1/chat/completions", CANARY.encode(), keeping.keys["kept"])
    query = keeping.ask("kept").query
    receipt(keeping, query)  # so that all of it is in the log
    everything = all_bytes(keeping.folder)
    for secret in (CANARY.encode(), ANSWER):
        assert secret not in everything
    assert salts and not any(salt in everything for salt in salts)
    assert not any(salt.hex().encode() in everything for salt in salts)


def receipt(keeping: Keeping, query: str) -> bytes:
    file = keeping.folder / f"{query}.tlog-proof"
    keeping.cli("receipt", query, "--out", str(file))
    return file.read_bytes()


def test_after_an_erasure_nothing_is_left_and_every_proof_is_valid(keeping: Keeping) -> None:
    hers = [keeping.ask("kept", user="ann@example.com").query for _ in range(2)]
    hers.append(keeping.ask("committed", user="ann@example.com").query)
    his = keeping.ask("kept", user="bob@example.com").query
    key = keeping.cli("log-key").stdout.strip()
    proofs = {query: receipt(keeping, query) for query in (*hers, his)}
    disclosed = keeping.folder / "disclosed.json"
    keeping.cli("disclose", hers[0], "--out", str(disclosed))
    proof = str(keeping.folder / f"{hers[0]}.tlog-proof")
    verify = ("verify", "disclosure", str(disclosed), "--receipt", proof, "--key", key)
    assert keeping.cli(*verify).stdout.count("verified") == 2
    before = (keeping.data.log / "checkpoint").read_bytes()
    sealed = [
        (frame.label.query, frame.read(_disk())[1])
        for frame in frames(keeping.data.vault)
        if frame.label
    ]

    said = keeping.cli("erase", "--user", "ann@example.com", "--reason", "Art. 17", "--yes")
    assert "3 queries" in said.stdout
    held = all_bytes(keeping.data.vault)
    for query, data in sealed:
        assert (data in held) is (query not in hers)
        if query in hers:
            assert data[:16] not in held and data[-16:] not in held
    (position, entry) = next(
        (number, entry)
        for number, entry in enumerate(keeping.gateway.entries(), 1)
        if isinstance(entry, Erasure) and entry.cause == "request"
    )
    assert set(entry.queries) == set(hers) and entry.by
    ends = [keeping.gateway.entries()[number - 1] for number in entry.endings]
    assert [getattr(ending, "id", "") for ending in ends] == list(entry.queries)

    why = one_line(keeping.cli("contents", hers[0], status=1))
    assert f"{hers[0]} was erased on " in why and f"entry {position} (request)" in why
    assert (
        json.loads(keeping.cli("contents", his, "--json").stdout)["prompt"]["state"] == "verified"
    )
    receipt(keeping, str(position))  # the erasure itself is in the log
    verifier = Verifier.of(key)
    for query in (*hers, his):
        assert query in standalone().verify_receipt(proofs[query], key)
        for data in (proofs[query], receipt(keeping, query)):
            found = Receipt.decode(data)
            found.check(verifier)
            assert "hmac-sha256:" in json.loads(found.entry)["prompt"]
    keeping.cli(*verify)  # what was disclosed before is still what was committed to
    after = (keeping.data.log / "checkpoint").read_bytes()
    tiles = source_of(str(keeping.data.log))
    old, new = verify_consistency(before, after, verifier, tiles)
    assert old.size < new.size
    verify_folder(keeping.data.log, verifier)
    keeping.cli("ledger", "verify")
    leaf = json.loads(Receipt.decode(receipt(keeping, str(position))).entry)
    assert leaf["kind"] == "erasure" and sorted(leaf["queries"]) == sorted(hers)
    assert "ann" not in json.dumps(leaf) and "Art. 17" not in json.dumps(leaf)


def _disk() -> Any:
    from farthing.ledger.disk import DISK

    return DISK


def test_what_was_over_at_the_start_was_erased(keeping: Keeping) -> None:
    keeping.gateway.wait_until(
        lambda: any(
            isinstance(e, Erasure) and e.cause == "retention" for e in keeping.gateway.entries()
        )
    )
    entry = next(e for e in keeping.gateway.entries() if isinstance(e, Erasure))
    assert (entry.queries, entry.by) == (("q-old",), "farthing")
    assert keeping.kept("q-old") is None and "vault" in keeping.gateway.pids


def test_while_the_vault_cannot_be_written_nothing_is_sent(keeping: Keeping) -> None:
    """The one query that found it out is settled all the same, and says so."""
    blocked = keeping.data.vault / "keys"
    away = keeping.data.vault / "away"
    blocked.rename(away)
    blocked.touch()
    try:
        refused = keeping.gateway.chat_until(keeping.keys["kept"], 503)
        assert refused.headers["farthing-error"] == "vault_unavailable"
        settled = [e for e in keeping.gateway.entries() if isinstance(e, Settle)]
        failed = [e for e in settled if e.contents == "failed"]
        assert failed and all(e.usd and not e.prompt for e in failed)
        assert keeping.ask("nothing").status == 200, "others are not concerned"
    finally:
        blocked.unlink()
        away.rename(blocked)
    why = one_line(keeping.cli("contents", failed[0].id, status=1))
    assert "the vault could not be written" in why
    assert keeping.kept(keeping.gateway.chat_until(keeping.keys["kept"], 200).query)


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_whatever_is_killed_every_commitment_can_be_opened(keeping: Keeping, times: int) -> None:
    """The last test here: all processes die at once, under load."""
    for time in range(times):
        enough = len(keeping.provider.seen) + 5 + time % 7
        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(_ask_until_dead, keeping, n) for n in range(4)]
            keeping.gateway.wait_until(lambda: len(keeping.provider.seen) >= enough)  # noqa: B023
            for pid in [keeping.gateway.process.pid, *keeping.gateway.pids.values()]:
                os.kill(pid, signal.SIGKILL)
            for each in asking:
                each.result()
        keeping.gateway.kill()
        keeping.start()
    erased = {
        query
        for entry in keeping.gateway.entries()
        if isinstance(entry, Erasure)
        for query in entry.queries
    }
    committed = [e for e in keeping.gateway.entries() if getattr(e, "prompt", b"")]
    assert len(committed) >= times, "each time one had come to its end"
    for ending in committed:
        assert isinstance(ending, Settle | Unresolved)
        if ending.id not in erased:
            found = keeping.kept(ending.id)
            assert found is not None, f"{ending.id} has a commitment and no salt"
            if found["answer"].data is not None:
                assert found["answer"].opens(ending.answer) and found["prompt"].opens(ending.prompt)


def _ask_until_dead(keeping: Keeping, number: int) -> None:
    try:
        while True:
            keeping.ask("kept", f"number {number}", stream=number % 2 == 0)
    except Exception:  # noqa: BLE001  (the gateway is dead)
        return
