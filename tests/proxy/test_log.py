"""The log over HTTP: files that are a log's and no other, and receipts for their owners."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.application import NEW_KEY, Reply, application
from tests.support.evidence import VERIFIER, Log, entries, make_log, publish, write
from tests.support.loopback import run

from farthing.evidence.receipt import Receipt, receipt_at
from farthing.proxy import log as log_module
from farthing.settings import Settings

OWNER = NEW_KEY.entry.id
OPEN = Settings(log_entries=True)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return make_log(tmp_path_factory.mktemp("log"), entries(300))


def ask(
    log: Log | None,
    path: str,
    ending: int | None = None,
    settings: Settings | None = None,
    method: str = "GET",
) -> Reply:
    """Ask an application for one thing; the owner's query q1 ended at an entry of the journal."""

    async def scene() -> Reply:
        async with application(settings=settings, log=log.folder if log else None) as it:
            it.records.found = {("q1", OWNER): {"end_position": ending}}
            return await it.ask(method, path)

    return run(scene())


def test_the_checkpoint_is_text_that_is_asked_for_again(log: Log) -> None:
    reply = ask(log, "/log/checkpoint")
    assert (reply.status, reply.body) == (200, log.checkpoint)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "no-cache"
    head = ask(log, "/log/checkpoint", method="HEAD")
    assert head.body == b"" and head.headers["content-length"] == str(len(log.checkpoint))


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/entries/000"])
def test_tiles_are_bytes_for_ever(log: Log, path: str) -> None:
    reply = ask(log, f"/log/{path}", settings=OPEN)
    assert (reply.status, reply.body) == (200, (log.folder / path).read_bytes())
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_time_stamps_and_what_they_are_of_are_served_for_ever(log: Log) -> None:
    folder = log.folder / "timestamps"
    folder.mkdir(exist_ok=True)
    (folder / "300.tsr").write_bytes(b"stamp")
    (folder / "300.checkpoint").write_bytes(log.checkpoint)
    stamp = ask(log, "/log/timestamps/300.tsr")
    assert (stamp.status, stamp.body) == (200, b"stamp")
    assert stamp.headers["content-type"] == "application/timestamp-reply"
    of = ask(log, "/log/timestamps/300.checkpoint")
    assert of.body == log.checkpoint and of.headers["content-type"].startswith("text/plain")
    assert stamp.headers["cache-control"] == of.headers["cache-control"]
    assert "immutable" in of.headers["cache-control"]
    assert ask(log, "/log/timestamps/300.tsr", method="PUT").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "", "signed", "lock", "tile/0/002", "tile/0/000.p/3", "tile/0/../../signed", "tile",
        "tile/0/.new", "../secrets/log-key", "tile/0/000/", "%74ile/0/000", "checkpoint/",
        "timestamps/301.tsr", "timestamps/", "timestamps/.new", "timestamps/0300.tsr",
        "timestamps/300.tsr/", "timestamps/../checkpoint", "timestamps/300.checkpoint.tsr",
        f"timestamps/{'1' * 300}.tsr",
    ],
)  # fmt: skip
def test_nothing_else_is_served(log: Log, path: str) -> None:
    (log.folder / "lock").touch()
    reply = ask(log, f"/log/{path}", settings=OPEN)
    assert (reply.status, reply.headers["farthing-error"]) == (404, "not_found")


def test_entries_are_served_only_if_the_operator_says_so(log: Log) -> None:
    reply = ask(log, "/log/tile/entries/000")
    assert reply.status == 404 and "log_entries = true" in reply.json["error"]["message"]
    assert ask(log, "/log/tile/0/000").status == 200


def test_without_a_log_there_is_nothing() -> None:
    assert ask(None, "/log/checkpoint").status == 404
    assert ask(None, "/v1/queries/q1/receipt", 3).headers["farthing-error"] == "no_receipt"


def test_nothing_is_written(log: Log) -> None:
    reply = ask(log, "/log/checkpoint", method="PUT")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


def test_a_receipt_is_a_file_that_verifies(log: Log) -> None:
    reply = ask(log, "/v1/queries/q1/receipt", 5)
    assert reply.status == 200
    assert reply.headers["content-disposition"] == 'attachment; filename="q1.tlog-proof"'
    receipt = Receipt.decode(reply.body)
    assert receipt.check(VERIFIER) == log.head
    assert receipt == log.receipt(2)


def test_only_its_own_key_gets_it_and_only_when_it_has_ended(log: Log) -> None:
    reply = ask(log, "/v1/queries/q2/receipt", 5)
    assert (reply.status, reply.headers["farthing-error"]) == (404, "unknown_query")
    reply = ask(log, "/v1/queries/q1/receipt", None)
    assert (reply.status, reply.headers["farthing-error"]) == (404, "no_receipt")


def test_a_receipt_waits_for_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is published while the client waits."""
    made = entries(20)
    log = make_log(tmp_path, made[:9])
    asked: list[int] = []

    def watched(folder: Path, position: int) -> Receipt | None:
        asked.append(position)
        if len(asked) == 2:
            write(log.journal, made[9:])
            publish(log.journal, log.folder)
        return receipt_at(folder, position)

    monkeypatch.setattr(log_module, "_receipt_at", watched)
    monkeypatch.setattr(log_module, "LOOK_AGAIN_SECONDS", 0.001)
    reply = ask(log, "/v1/queries/q1/receipt", 15)
    assert reply.status == 200 and asked == [15, 15]
    assert Receipt.decode(reply.body).check(VERIFIER) == log.head


def test_it_does_not_wait_for_ever(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(log_module, "LOOK_AGAIN_SECONDS", 0.01)
    reply = ask(log, "/v1/queries/q1/receipt", 5000)
    assert (reply.status, reply.headers["farthing-error"]) == (503, "not_logged_yet")
    assert reply.headers["retry-after"] == "5"
