"""What a regulator asks beyond the figures: purposes and roles, samples, retention, a checklist.

The checklist maps articles 12, 19, 26 and 50 of Regulation (EU) 2024/1689 to evidence. It says what
the log shows and what it does not; whether an article applies, or is met, it does not say.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from farthing.evidence.merkle import inclusion_proof
from farthing.evidence.note import encoded
from farthing.evidence.tiles import TreeReader
from farthing.report.bought import served_of
from farthing.report.draft import Block, Cell, Draft, System, facts_list, table, text

SAMPLES = 5
NOT_GIVEN = "not given"
OPERATOR = "Not shown by the log: the operator's own records"


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
        text(
            "The list below maps articles of Regulation (EU) 2024/1689 to evidence. Whether an "
            "article applies, and whether it is met, is not for this statement to say."
        ),
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


# Article, what it asks, and where evidence of it is: figures by their names in braces.
CHECKLIST = (
    ("12(1)", "Events are recorded automatically over the system's lifetime",
     "{leaves.read} entries of the period, since {retention.since}; `farthing verify folder`"),
    ("12(2)", "Records make it possible to identify risks, to monitor, and to monitor after sale",
     "{entries.overrun} overruns, {entries.warned} warnings; sections on performance and controls"),
    ("12(3)", "Each use's start and end are recorded (remote biometric systems)",
     "Each entry has when its query was admitted and when it ended; {summary.sent} were sent"),
    ("19(1)", "Providers keep automatically generated logs, at least six months",
     "Kept since {retention.since}; entries are not deleted"),
    ("26(1)", "Deployers use systems in accordance with their instructions", OPERATOR),
    ("26(2)", "Human oversight is assigned to competent persons", OPERATOR),
    ("26(5)", "Deployers monitor the operation of the system",
     "Availability {performance.availability} of {performance.sent} queries; section on "
     "performance"),
    ("26(6)", "Deployers keep automatically generated logs, at least six months",
     "Kept since {retention.since}; entries are not deleted"),
    ("26(7), 26(11)", "Workers and affected persons are informed", OPERATOR),
    ("50(1)", "Persons are informed that they interact with an AI system", OPERATOR),
    ("50(2)", "Synthetic output is marked as such, in a machine-readable way", OPERATOR),
    ("50(4)", "Deep fakes and generated texts of public interest are disclosed", OPERATOR),
)  # fmt: skip


def _checklist(draft: Draft) -> Block | None:
    rows: list[list[Any]] = [list(row) for row in CHECKLIST]
    return table("EU AI Act", ["Article", "What it asks", "Evidence"], rows)
