"""HTML and PDF: both carry the JSON, need nothing from elsewhere, and are the same each time."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader
from tests.support.statements import EDITIONS, statement

from farthing.report.caveats import CAVEATS
from farthing.report.render import embedded_in, html_of, pdf_of
from farthing.report.statement import Document, canonical, compose


@pytest.mark.parametrize(("edition", "scope"), EDITIONS)
def test_both_carry_the_json_byte_for_byte(edition: str, scope: str) -> None:
    made = statement(edition, scope)
    for data in (html_of(made), pdf_of(made), canonical(made)):
        assert embedded_in(data) == canonical(made)


def test_the_same_document_makes_the_same_files() -> None:
    made = statement()
    assert (html_of(made), pdf_of(made)) == (html_of(made), pdf_of(made))


def test_a_page_asks_for_nothing_from_elsewhere() -> None:
    page = html_of(statement()).decode()
    outside = re.sub(r'xmlns="http://www.w3.org/2000/svg"', "", page)
    assert not re.search(r'(src|href)="(?!#)', outside) and "http://" not in outside
    assert page.count("<script") == 1 and 'type="application/json"' in page
    for word in ("prefers-color-scheme: dark", "@media print", 'lang="en"', 'scope="col"'):
        assert word in page


def test_a_pdf_says_what_it_is_and_shows_every_section() -> None:
    reader = PdfReader(io.BytesIO(pdf_of(statement())))
    assert reader.metadata is not None
    assert reader.metadata.title == "Acme Ltd.: Regulator statement, 2026-09"
    assert str(reader.metadata.creation_date)[:16] == "2026-10-02 08:00"
    said = " ".join(page.extract_text() for page in reader.pages)
    plain = re.sub(r"\s+", "", said)
    for section in statement()["sections"]:
        assert section["title"].replace(" ", "") in plain
    assert all(re.sub(r"[\s`]", "", caveat) in plain for caveat in CAVEATS)
    assert len(reader.pages) < 14


def test_the_first_page_has_the_numbers_that_matter() -> None:
    first = PdfReader(io.BytesIO(pdf_of(statement("shareholder")))).pages[0].extract_text()
    for label, _ in statement("shareholder")["summary"]["tiles"]:
        assert label in first
    assert "September 2026" in first and "Acme Ltd." in first


def test_what_providers_and_operators_write_is_set_as_text() -> None:
    """A model's name is the provider's to choose."""
    from tests.support.statements import inputs, source

    evil = '</script><img src=x onerror="f()">#panic("x")$`{bought.queries}'
    made: Document = compose(inputs(entity=evil), source())
    page = html_of(made)
    assert b"<img" not in page and page.count(b"</script>") == 1
    assert embedded_in(page) == canonical(made)
    assert embedded_in(pdf_of(made)) == canonical(made)


def test_a_period_that_is_not_over_says_so() -> None:
    from tests.support.statements import inputs, source

    made = compose(inputs(until="2026-09-20T12:00:00.000Z"), source())
    assert b"so far until 2026-09-20 12:00" in html_of(made)
    assert b"so far" not in html_of(statement())


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"%PDF-1.7 nothing", b"\0\1"])
def test_what_carries_no_statement_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="statement"):
        embedded_in(data)
