"""The page of what a statement's figures can ask, from the code that answers; and its schema."""

from __future__ import annotations

import inspect
from pathlib import Path

from farthing.report import statement
from farthing.report.asking import SUMMED
from farthing.report.caveats import CAVEATS
from farthing.report.columns import Facts
from farthing.report.measure import MEASURES
from farthing.report.performance import CLASSES
from farthing.report.statement import EDITIONS, FORMAT

INTRODUCTION = f"""# Statements

`farthing report` writes a statement as JSON (`{FORMAT}`, by
[this schema](statement.schema.json), written by RFC 8785), as HTML and as PDF. The JSON is attached
to the PDF and embedded in the page. The SHA-256 of each is an entry of the log (`statement` in
[the ledger](ledger.md)), and the entry's receipt, a `.tlog-proof`, is written beside them.

`farthing verify statement FILE --key KEY` finds any changed byte by that receipt. With `--log` (a
folder, or the log's address) it reads the log's entries up to the statement's own root, checks
them against that, asks each figure's query again, and makes the whole statement again: what was
left out, added, or said otherwise is found as well. It takes as long as making it, and needs no
gateway.

## Editions

| edition | sections, in their order |
|---|---|
"""

QUERIES = """
## Queries

A figure's query is a JSON object. `measure` says what is asked:

| measure | what it is |
|---|---|
"""

CONDITIONS = """
`where`, `among` and `each` are conditions on endings of queries; all names in one must hold:

| name | holds for |
|---|---|
| `provider`, `model`, `answered_model`, `asked_model`, `key`, `org`, `team`, `project`, \
`dialect`, `reason`, `finish`, `price_book` | any of a list of names |
| `kind` | any of a list: `settled`, `void`, `unresolved`, `resolved`, `posted`, `written-off` |
| `outcome` | any of a list of the classes below |
| `at` | endings from a moment up to another, `[from, until]` |
| `http_status` | statuses from one to another, both included |
| `cost` | `"known"`, or `"unknown"` |
| `stream`, `unpriced`, `superseded` | `true` or `false` |
| `flowing` | `true`: streams with output that lasted beyond their first event |
| `not` | what none of a list of conditions holds for |

The conditions of `peak` and `standing` are of `key`, `org`, `team`, `project` and `provider` alone.
Of entries that end no query, `where` names their fields; one that has not the field has `""` there.
`of` is a column: `cost`, `list_cost`, `effective`, `held`, `released` (held and
not posted; dollars, as exact decimal strings),
`first_byte_us`, `total_us`, `at`, `pace` (of a stream, tokens of output in a thousand
seconds), a meter of `Usage`, or a sum of meters: \
"""


def _first(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def statements_page() -> str:
    """Return the page."""
    editions = [f"| {name} | {', '.join(parts)} |" for name, parts in EDITIONS.items()]
    measures = [f"| `{name}` | {_first(inspect.getdoc(m))} |" for name, m in MEASURES.items()]
    assert "superseded" in Facts.__struct_fields__
    sums = "; ".join(f"`{name}` ({', '.join(meters)})" for name, meters in SUMMED.items())
    classes = [f"| `{name}` | {words} |" for name, words in CLASSES.items()]
    return "\n".join([
        INTRODUCTION + "\n".join(editions),
        QUERIES + "\n".join(measures),
        CONDITIONS + sums + ".\n",
        "| outcome | what became of the query |\n|---|---|\n" + "\n".join(classes),
        "\nA ratio is a decimal string of six places, rounded half up. `interval` is a 95 %",
        "confidence interval: Wilson's of a share of queries, that of the rank of a percentile,",
        "and of an evaluation's score the one in its entry, whose method stands beside it.\n",
        "## What every statement says of itself\n",
        *(f"- {caveat}" for caveat in CAVEATS),
        "",
    ])  # fmt: skip


def schema_file() -> str:
    """Return the schema."""
    return (Path(statement.__file__).parent / "statement.schema.json").read_text()
