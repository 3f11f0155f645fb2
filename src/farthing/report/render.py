"""A statement as HTML and PDF. Both carry the JSON, and the same JSON makes the same bytes."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from farthing.report.plot import PAPER, SCREEN, Ink
from farthing.report.spans import period_of
from farthing.report.statement import canonical
from farthing.report.view import view_of

TEMPLATES = Path(__file__).parent / "templates"
ATTACHMENT = "statement.json"
# In an HTML page no text may close the element that it stands in (HTML §13.1.2.6).
OPENING, OPENING_ESCAPED = b"<", rb"\u003c"
EMBEDDED = (b'<script type="application/json" id="statement">', b"</script>")


def set_view(document: dict[str, Any], ink: Ink) -> dict[str, Any]:
    """Return what a template is given."""
    inputs, log = document["inputs"], document["log"]
    period = period_of(inputs["period"])
    entity = inputs["entity"] or "Statement"
    edition = inputs["edition"].capitalize()
    return {
        **view_of(document, ink),
        "title": f"{entity}: {edition} statement, {inputs['period']}",
        "entity": entity,
        "edition": edition,
        "scope": inputs["scope"],
        "period": period.words,
        "so_far": datetime.fromisoformat(inputs["until"]).timestamp() * 10**9 < period.ends,
        "until": inputs["until"][:16].replace("T", " ") + " UTC",
        "version": inputs["version"],
        "origin": log["origin"],
        "size": f"{log['size']:,}",
    }


@cache
def _page() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    loader = FileSystemLoader(TEMPLATES)
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    return page.get_template("statement.html.j2")


def html_of(document: dict[str, Any]) -> bytes:
    """Return a statement as one page that needs no other file."""
    embedded = canonical(document).replace(OPENING, OPENING_ESCAPED).decode()
    page: str = _page().render(**set_view(document, SCREEN), statement=embedded)
    return page.encode()


def pdf_of(document: dict[str, Any]) -> bytes:
    """Return a statement as PDF, with its JSON attached."""
    import typst  # noqa: PLC0415

    view = set_view(document, PAPER)
    plotted = {
        figure
        for section in [{"blocks": document["summary"]["plots"]}, *document["sections"]]
        for block in section["blocks"]
        if block["type"] == "plot" and block["form"] == "columns"
        for series in block["series"]
        for figure in series["figures"]
    }
    view["index"] = [line for line in view["index"] if line["id"] not in plotted]
    view["unlisted"] = len(plotted)
    made = datetime.fromisoformat(document["inputs"]["made"])
    view["made"] = [made.year, made.month, made.day, made.hour, made.minute]
    del view["document"]
    told = {
        "view": msgspec.json.encode(view).decode(),
        "statement": canonical(document).decode(),
    }
    data: bytes = typst.compile(
        str(TEMPLATES / "statement.typ"),
        root=str(TEMPLATES),
        ignore_system_fonts=True,
        sys_inputs=told,
        timestamp=int(made.timestamp()),
    )
    return data


def embedded_in(data: bytes) -> bytes:
    """Return the JSON that a file of a statement is or carries.

    Raises:
        ValueError: it carries none.
    """
    if data.startswith(b"%PDF-"):
        return _attached(data)
    if data.lstrip()[:1] == b"{":
        return data
    begin, end = data.rfind(EMBEDDED[0]), data.rfind(EMBEDDED[1])
    if begin < 0 or end < begin:
        raise ValueError("there is no statement in it: it is neither its JSON, HTML nor PDF")
    return data[begin + len(EMBEDDED[0]) : end].replace(OPENING_ESCAPED, OPENING)


def _attached(data: bytes) -> bytes:
    import io  # noqa: PLC0415

    from pypdf import PdfReader  # noqa: PLC0415
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        found = PdfReader(io.BytesIO(data)).attachments[ATTACHMENT]
    except (PyPdfError, KeyError) as problem:
        raise ValueError(f"no statement is attached to the PDF ({problem})") from None
    return bytes(found[0])
