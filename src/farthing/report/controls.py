"""Controls: what shows that nothing is missing, and what was changed, erased or went wrong."""

from __future__ import annotations

from farthing.report.bought import served_of
from farthing.report.draft import Cell, Draft, facts_list, table, text

# Kinds of entries → what a reader calls them.
CHANGES = {
    "config": "Configurations that came into force",
    "price-book": "Price books that came into force",
    "key": "Keys made",
    "change-key": "Keys changed",
    "revoke": "Keys revoked",
    "scope": "Organisations, teams and projects made",
    "limit": "Limits set, changed or lifted",
    "top-up": "Credit added",
    "commitment": "Commitments entered",
    "exercise": "Tranches exercised",
    "erasure": "Contents erased",
    "evaluation": "Evaluations",
    "statement": "Statements made",
}
INCIDENTS = {
    "overrun": "Bills above the bound that was held",
    "reset": "Models sent to again after such a bill",
    "warned": "Soft limits passed",
}


def controls(draft: Draft) -> None:
    """Write the section."""
    blocks = [
        facts_list("Nothing is missing", _gap_free(draft)),
        text(
            "Leaves are numbered without gaps under the signed root, so that a period without some "
            "of them has another root. Entries are kept; nothing in the log is ever deleted."
        ),
        table("What was changed", ["Entries", "In the period"], _counted(draft, CHANGES)),
        table("Incidents", ["Entries", "In the period"], _counted(draft, INCIDENTS)),
        _versions(draft),
    ]
    draft.section("controls", "Controls", blocks)


def _gap_free(draft: Draft) -> list[tuple[str, Cell]]:
    return [
        ("Leaves of the period that were read", draft.figure("leaves.read", "leaves", "covered")),
        (
            "Positions from the first to the last of them",
            draft.figure("leaves.positions", "leaves", "positions"),
        ),
        ("Leaves under the signed root", draft.figure("leaves.all", "leaves", "size")),
    ]


def _counted(draft: Draft, kinds: dict[str, str]) -> list[list[Cell]]:
    return [
        [words, draft.figure(f"entries.{kind}", "entries", "entries", where={"kind": kind})]
        for kind, words in kinds.items()
    ]


def _versions(draft: Draft) -> dict[str, object] | None:
    """Show the models that were answered as more than one version."""
    versions: dict[tuple[str, str], list[str]] = {}
    for served in served_of(draft):
        if served.answered:
            versions.setdefault((served.provider, served.model), []).append(served.answered)
    rows: list[list[Cell]] = []
    for (provider, model), names in sorted(versions.items()):
        for answered in sorted(names) if len(names) > 1 else []:
            mine = {"provider": [provider], "model": [model], "answered_model": [answered]}
            name = f"version.{provider}/{model}.{answered}"
            cell = draft.figure(name, "queries", "count", where=draft.where(**mine))
            rows.append([f"{provider}/{model}", answered, *_when(draft, name, mine), cell])
    columns = ["Model asked for", "Answered as", "First", "Last", "Queries"]
    return table("Models that changed their version", columns, rows)


def _when(draft: Draft, name: str, mine: dict[str, list[str]]) -> list[Cell]:
    return [
        draft.figure(f"{name}.{edge}", "time", edge, of="at", where=draft.where(**mine))
        for edge in ("first", "last")
    ]
