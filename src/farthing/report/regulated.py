"""What a regulator asks beyond the figures: purposes and roles, samples, retention, a checklist.

The checklist is the table of `duties.py`, which `farthing export ai-act` writes as well.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from farthing.evidence.merkle import inclusion_proof
from farthing.evidence.note import encoded
from farthing.evidence.tiles import TreeReader
from farthing.report.bought import served_of
from farthing.report.draft import Block, Cell, Draft, System, facts_list, table, text
from farthing.report.duties import DUTIES, NO_CLAIM, Duty

SAMPLES = 5
NOT_GIVEN = "not given"


class Sample(NamedTuple):
    """An entry of the log with its proof under the statement's root."""

    leaf: int
    entry: str
    proof: list[str]


def sampled(reader: TreeReader, root: bytes, first: int, last: int) -> list[Sample]:
    """Return entries that nobody could choose: the root decides which."""
    found = {}
    for number in range(SAMPLES if last >= first else 0):
        digest = sha256(root + number.to_bytes(4, "big")).digest()
        index = first + int.from_bytes(digest, "big") % (last - first + 1)
        proof = inclusion_proof(reader.subtree, index, reader.size)
        found[index] = Sample(index, reader.entry(index).decode(), [encoded(h) for h in proof])
    return [found[index] for index in sorted(found)]


def regulated(draft: Draft, samples: list[Sample]) -> None:
    """Write the section."""
    blocks: list[Block | None] = [
        _systems(draft),
        facts_list("Retention", _retention(draft)),
        text(
            "The entries below were not chosen: the signed root decides which they are. Each is "
            "shown whole, and the JSON has its proof of inclusion under that root."
        ),
        {"type": "samples", "title": "Sampled entries", "samples": [s._asdict() for s in samples]},
        text(NO_CLAIM),
        _checklist(draft),
    ]
    draft.section("regulated", "For the regulator", blocks)


def _systems(draft: Draft) -> Block | None:
    names = dict.fromkeys(f"{served.provider}/{served.model}" for served in served_of(draft))
    rows: list[list[Cell]] = []
    for name in names:
        system = draft.inputs.systems.get(name, System())
        told = (system.purpose, system.role, system.documents)
        rows.append([name, *(words or NOT_GIVEN for words in told)])
    columns = ["Model", "Purpose", "Role of the operator", "Documents of the model"]
    return table("Systems in use, as their operator describes them", columns, rows)


def _retention(draft: Draft) -> list[tuple[str, Cell]]:
    oldest = {"where": {"kind": "genesis"}, "of": "at"}
    erased = {"where": {"kind": "erasure"}, "before": True}
    return [
        (
            "The oldest entry that is kept",
            draft.figure("retention.since", "time", "stated", **oldest),
        ),
        ("Entries that are kept", draft.figure("retention.leaves", "leaves", "size")),
        (
            "Erasures of contents, ever",
            draft.figure("retention.erased", "entries", "entries", **erased),
        ),
    ]


def _checklist(draft: Draft) -> Block | None:
    rows: list[list[Cell]] = [
        [f"{duty.article}, {duty.whose}", duty.duty, _held(draft, duty), duty.not_covered]
        for duty in DUTIES
    ]
    return table("EU AI Act", ["Article, whose", "Duty", "Held", "Not covered"], rows)


def _held(draft: Draft, duty: Duty) -> str:
    """Return what there is, with figures of the period."""
    told = []
    for number, each in enumerate(duty.figures, start=1):
        name = f"article.{duty.article}.{number}"
        draft.figure(name, each.unit, **each.query)
        told.append(f"{each.name}: {{{name}}}")
    command = f" (`{duty.command}`)" if duty.command else ""
    return duty.held + command + (" In the period: " + "; ".join(told) + "." if told else "")
