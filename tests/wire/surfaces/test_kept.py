"""Files and batches: which path does what, and what leaves the folder."""

from __future__ import annotations

import pytest

from farthing.wire.dialect import Changes
from farthing.wire.surfaces import methods, operation, speaker
from farthing.wire.surfaces.kept import FILES

ANTHROPIC = {b"anthropic-version": b"2023-06-01"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "name"),
    [
        (b"GET", b"/v1/files", {}, "files"),
        (b"POST", b"/v1/files", {}, "files"),
        (b"GET", b"/v1/files/file-x", {}, "files"),
        (b"DELETE", b"/v1/files/file-x", {}, "files"),
        (b"GET", b"/v1/files/file-x/content", {}, "files"),
        (b"GET", b"/v1/files/file_x", ANTHROPIC, "message_files"),
        (b"GET", b"/v1/batches", {}, "batches"),
        (b"GET", b"/v1/batches/b_1", {}, "batches"),
        (b"POST", b"/v1/batches/b_1/cancel", {}, "batches"),
        (b"GET", b"/v1/messages/batches", {}, "message_batches"),
        (b"GET", b"/v1/messages/batches/b_1/results", ANTHROPIC, "message_batches"),
        (b"DELETE", b"/v1/messages/batches/b_1", ANTHROPIC, "message_batches"),
    ],
)
def test_a_path_does_one_thing_that_is_billed_nothing(
    method: bytes, path: bytes, headers: dict[bytes, bytes], name: str
) -> None:
    found = operation(method, path, b"limit=2", headers)
    assert found is not None
    dialect, target = found
    assert (dialect.name, target.tail.endswith("?limit=2")) == (name, True)
    ask = dialect.read(b"body", b"x/y", target)
    assert (ask.buys, ask.model, dialect.write_request(ask, Changes(model="m"))) == (
        "",
        "",
        b"body",
    )


@pytest.mark.parametrize("path", [b"/v1/batches", b"/v1/messages/batches"])
def test_making_a_batch_buys_what_is_billed_later(path: bytes) -> None:
    found = operation(b"POST", path, b"", {})
    assert found is not None
    dialect, target = found
    assert dialect.read(b"{}", b"", target).buys


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/files/..",
        b"/v1/files/../chat/completions",
        b"/v1/files/%2e%2e/chat",
        b"/v1/files/x%2fy",
        b"/v1/files/x/y",
        b"/v1/files/x/content/",
        b"/v1/files/",
        b"/v1/files/\xff",
        b"/v1/files/x\n",
        b"/v1/filesx",
        b"/v1/files/" + b"x" * 300,
    ],
)
def test_no_path_leaves_its_folder(path: bytes) -> None:
    assert operation(b"GET", path, b"", {}) is None
    assert methods(path, {}) == ()


def test_a_path_says_what_it_can_be_asked_for() -> None:
    assert methods(b"/v1/files/x", {}) == ("GET", "DELETE")
    assert operation(b"PUT", b"/v1/files/x", b"", {}) is None


def test_errors_are_in_the_dialect_of_the_path() -> None:
    assert speaker(b"/v1/files/any/thing", {}) is FILES
    assert speaker(b"/v1/chat/completions", {}) is None
