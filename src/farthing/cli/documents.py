"""`farthing export mlbom`, `model-card` and `ai-act`: documents of the log's verified leaves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from farthing.cli.export import Period, Since, Until, span
from farthing.cli.logged import LogPlace, PublicKey, entries_of, extra, reading
from farthing.cli.output import ConfigFile, Data, Json, expected, stop

if TYPE_CHECKING:
    from farthing.report.columns import Facts

MaybeOut = Annotated[
    Path | None,
    typer.Option("--out", show_default="standard output", help="Write it to this file."),
]


def mlbom_command(
    out: MaybeOut = None,
    period: Period = "",
    since: Since = "",
    until: Until = "",
    log: LogPlace = "",
    key: PublicKey = "",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Write a CycloneDX 1.7 bill of materials of every model that was in use.

    It is made of the log's leaves, checked first; the same leaves give the same bytes. It is JSON
    in any case; --json puts it on one line.
    """
    facts = _facts(period, since, until, log, key, data, config)
    from farthing.report.inuse import in_use  # noqa: PLC0415  (needs the extra)
    from farthing.report.mlbom import encoded, mlbom  # noqa: PLC0415

    bom = mlbom(facts, in_use(facts))
    _write(out, msgspec.json.encode(bom) + b"\n" if json else encoded(bom))


def model_card(
    model: Annotated[
        str, typer.Option("--model", metavar="PROVIDER/MODEL", help="As `farthing log` shows it.")
    ],
    out: MaybeOut = None,
    period: Period = "",
    since: Since = "",
    until: Until = "",
    log: LogPlace = "",
    key: PublicKey = "",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Write a model's card, as the Hugging Face hub has them: what the ledger knows, no more.

    With --json its metadata alone.
    """
    facts = _facts(period, since, until, log, key, data, config)
    from farthing.report.inuse import in_use  # noqa: PLC0415  (needs the extra)
    from farthing.report.modelcard import card, metadata  # noqa: PLC0415

    found = in_use(facts)
    mine = [use for use in found if use.name == model]
    if not mine:
        known = ", ".join(sorted({use.name for use in found})) or "none"
        stop(f"{model} was not in use in the period; in use were: {known}")
    leaves = facts.range
    told = (
        msgspec.json.encode(metadata(leaves, mine)) + b"\n" if json else card(leaves, mine).encode()
    )
    _write(out, told)


def ai_act(
    out: MaybeOut = None,
    period: Period = "",
    since: Since = "",
    until: Until = "",
    log: LogPlace = "",
    key: PublicKey = "",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Write what the ledger holds for articles 12, 19, 26 and 50 of the EU's AI Act.

    Each line is a duty in plain words, whose it is, what there is for it in the period, and what is
    not covered. No claim of conformity is made.
    """
    facts = _facts(period, since, until, log, key, data, config)
    from farthing.report.aiact import checklist, markdown  # noqa: PLC0415  (needs the extra)

    told = checklist(facts)
    _write(out, msgspec.json.encode(told) + b"\n" if json else markdown(told).encode())


COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "mlbom": (mlbom_command, "export mlbom --period 2026-Q3 --out models.cdx.json"),
    "model-card": (model_card, "export model-card --model PROVIDER/MODEL --out card.md"),
    "ai-act": (ai_act, "export ai-act --period 2026-Q3 --out checklist.md"),
}


def _facts(
    period: str, since: str, until: str, log: str, key: str, data: Path | None, config: Path | None
) -> Facts:
    with extra("report"):
        from farthing.report.facts import read_facts  # noqa: PLC0415  (it needs the extra)
    with expected():
        chosen = span(period, since, until)
    entries = entries_of(log, key, data, config)
    with reading(entries.bundles) as progress:
        return read_facts(entries, *chosen, progress=progress)


def _write(out: Path | None, content: bytes) -> None:
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        stop(f"{out}: cannot be written: {error.strerror}")
