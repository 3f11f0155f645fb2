"""A statement's verification: any changed byte, figure, section or query is found."""

from __future__ import annotations

import copy
import random
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.support.evidence import VERIFIER, make_log
from tests.support.statements import asking, month, statement

from farthing.evidence.note import Signer
from farthing.evidence.tiles import TileError
from farthing.ledger.entry import Config, Genesis, Statement
from farthing.report.proved import (
    StatementError,
    _figure,
    check_bytes,
    differences,
    examine,
    logged,
    read_document,
)
from farthing.report.render import html_of, pdf_of
from farthing.report.statement import Document, canonical


class Published(NamedTuple):
    """A statement's files, and the receipt of the entry that names them."""

    files: dict[str, bytes]
    receipt: bytes


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    made = statement()
    files = {"json": canonical(made), "html": html_of(made), "pdf": pdf_of(made)}
    one, two, three = (sha256(data).hexdigest() for data in files.values())
    log = made["log"]
    entry = Statement(
        5, "ann", "regulator", "2026-09", "", one, two, three, log["size"], log["root"]
    )
    root = tmp_path_factory.mktemp("published")
    found = make_log(root, [Genesis(1, "one"), Config(2, "c"), entry, Config(6, "d")])
    return Published(files, found.receipt(2).encode())


def changed(**parts: Any) -> Document:
    made = copy.deepcopy(statement())
    return {**made, **parts}


def wrong(document: Document) -> list[str]:
    return differences(document, month().fetch, VERIFIER)


def test_what_was_made_is_verified(published: Published) -> None:
    for name, data in published.files.items():
        found = examine(data, published.receipt, VERIFIER, month().fetch)
        assert found.wrong == []
        assert f"this is the {name.upper()} of leaf 2 of the 4" in found.shown[0]
        assert f"all {len(statement()['figures'])} figures" in found.shown[1]


def mutated(draw: random.Random, data: bytes) -> bytes:
    """Change a bit, put a byte in, take one out, or cut."""
    at = draw.randrange(len(data))
    match draw.randrange(4):
        case 0:
            return data[:at] + bytes([draw.randrange(256)]) + data[at:]
        case 1:
            return data[:at] + data[at + 1 :]
        case 2:
            return data[:at]
        case _:
            return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def missed(published: Published, count: int, seed: int) -> list[str]:
    """Return which of so many changes, over all files and the receipt, were not found."""
    draw, unfound = random.Random(seed), []
    entry = logged(published.receipt, VERIFIER).entry
    for number in range(count):
        name = draw.choice((*published.files, "receipt"))
        try:
            if name == "receipt":
                data = mutated(draw, published.receipt)
                same = data == published.receipt
                logged(data, VERIFIER)
            else:
                data = mutated(draw, published.files[name])
                same = data == published.files[name]
                check_bytes(data, entry)
        except ValueError:
            continue
        if not same:
            unfound.append(f"{name} {number}")
    return unfound


def test_any_change_of_a_byte_is_found(published: Published) -> None:
    assert missed(published, 400, 1) == []


@pytest.mark.soak
def test_ten_thousand_changes_are_found(published: Published) -> None:
    assert missed(published, 10_000, 2) == []


def other(value: Any) -> Any:
    if value is None:
        return 1
    return value + 1 if isinstance(value, int) else f"{value}0"


def test_whoever_edits_one_figure_is_found_out() -> None:
    """Each figure alone, by its own query."""
    asked = asking()
    for figure in statement()["figures"]:
        assert not list(_figure(figure, asked))
        found = list(_figure({**figure, "value": other(figure["value"])}, asked))
        assert len(found) == 1 and f"is {figure['value']} by the log" in found[0]
        for part in ("n", "query_sha256"):
            assert list(_figure({**figure, part: other(figure[part])}, asked))


def test_the_figure_that_was_edited_is_named(published: Published) -> None:
    made = changed()
    figure = next(f for f in made["figures"] if f["id"] == "bought.contracted")
    stated, figure["value"] = figure["value"], "1.23"
    found = examine(canonical(made), published.receipt, VERIFIER, month().fetch)
    assert found.wrong == [
        "the file is not one that was logged: something in it was changed",
        f"bought.contracted: its value is stated as 1.23, and is {stated} by the log",
    ]


def test_a_section_that_was_left_out_is_found() -> None:
    sections = [s for s in statement()["sections"] if s["id"] != "caveats"]
    assert wrong(changed(sections=sections)) == ["section caveats: it was left out"]


def test_a_text_that_was_softened_is_found() -> None:
    made = changed()
    made["sections"][2]["blocks"][0]["text"] = "All is well."
    assert wrong(made) == ["section reconciliation: it does not say what the log makes of it"]


def test_a_figure_left_out_added_or_of_another_query_is_found() -> None:
    made = changed()
    gone = made["figures"].pop()
    assert wrong(made) == [f"{gone['id']}: it was left out; the log says {gone['value']}"]
    made = changed()
    made["figures"].append({**made["figures"][0], "id": "more"})
    assert wrong(made) == ["more: no statement has this figure"]
    made = changed()
    index = next(n for n, f in enumerate(made["figures"]) if f["id"] == "open.queries")
    settled = next(f for f in made["figures"] if f["id"] == "later.posted.queries")
    made["figures"][index] = {**settled, "id": "open.queries"}
    assert wrong(made) == ["open.queries: it asks something else than a statement does"]


def test_a_query_that_nobody_can_ask_is_found_and_is_no_crash() -> None:
    made = changed()
    made["figures"][0]["query"] = {"measure": "__import__", "where": "os"}
    assert any("cannot be asked" in line for line in wrong(made))


def test_a_tile_that_was_cut_is_found() -> None:
    summary = {**statement()["summary"], "notes": []}
    assert wrong(changed(summary=summary)) == ["summary: it is not what the log makes of it"]


def test_a_root_that_was_never_signed_is_refused() -> None:
    log = {**statement()["log"], "root": "0" * 64}
    with pytest.raises(StatementError, match="root is not the one of the checkpoint"):
        wrong(changed(log=log))
    signed = Signer(VERIFIER.name, b"o" * 32).sign(month().log.head).decode()
    with pytest.raises(StatementError, match="not signed"):
        wrong(changed(log={**statement()["log"], "checkpoint": signed}))


def test_an_entry_that_was_changed_is_found() -> None:
    def fetch(path: str) -> bytes:
        data = month().fetch(path)
        return data.replace(b'"cost_usd":"0.00', b'"cost_usd":"0.01') if "entries" in path else data

    with pytest.raises((ValueError, TileError)):
        differences(statement(), fetch, VERIFIER)


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"\xff", b'{"format":"farthing-statement/2"}', b'{ "format": 1 }']
)
def test_what_is_no_statement_is_said_to_be_none(data: bytes, published: Published) -> None:
    with pytest.raises(StatementError):
        read_document(data)
    assert examine(data, published.receipt, VERIFIER, None).wrong


def test_json_of_another_form_is_not_the_statements() -> None:
    with pytest.raises(StatementError, match="RFC 8785"):
        read_document(canonical(statement()) + b"\n")


@pytest.mark.parametrize("part", ["inputs", "log", "figures", "sections", "summary"])
def test_a_statement_without_a_part_has_no_shape(part: str) -> None:
    made = changed()
    del made[part]
    with pytest.raises(StatementError, match="shape"):
        wrong(made)


def test_without_a_receipt_nothing_is_verified(published: Published) -> None:
    found = examine(published.files["json"], None, VERIFIER, month().fetch)
    assert found.wrong == ["there is no receipt beside it; say where it is with --receipt"]


def test_a_receipt_of_something_else_shows_nothing(tmp_path: Path) -> None:
    log = make_log(tmp_path, [Genesis(1, "one"), Config(2, "c")])
    with pytest.raises(StatementError, match="no statement's"):
        logged(log.receipt(1).encode(), VERIFIER)


def test_a_statement_of_another_period_is_not_what_was_logged(published: Published) -> None:
    made = changed()
    made["inputs"]["period"] = "2026-08"
    found = examine(canonical(made), published.receipt, VERIFIER, None)
    assert "period: it says '2026-08', and the entry '2026-09'" in found.wrong
