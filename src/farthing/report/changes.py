"""Silent changes: the same model was asked for, and another version of it answered."""

from __future__ import annotations

import msgspec
import numpy as np

from farthing import clock
from farthing.report.columns import Facts, Flags


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A name under which a model had not answered before in the period."""

    provider: str
    model: str
    """As it was asked of the provider."""
    before: str
    """What answered the query before, as the provider named it."""
    after: str
    leaf: int
    """The first leaf that says so."""
    at: str
    back: int | None
    """The first leaf after it with a name that answered earlier; None: it stayed."""
    answers: int
    """How many answers came from it in the period."""


def changes(facts: Facts, answered: Flags) -> list[Change]:
    """Return the changes among answered rows, in the log's order.

    What is compared is the provider's own name of what answered. A provider that changes a model
    and not its name is not found out by this.
    """
    rows = np.flatnonzero(answered & (facts.answered_model != 0))
    asked = np.stack([facts.provider[rows], facts.model[rows]])
    found: list[Change] = []
    if len(rows):
        pairs, of = np.unique(asked, axis=1, return_inverse=True)
        for number in range(pairs.shape[1]):
            found += _changes(facts, rows[of.ravel() == number])
    return sorted(found, key=lambda change: change.leaf)


def _changes(facts: Facts, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[Change]:
    """Return the changes of one model, whose answers these are."""
    told = facts.answered_model[rows]
    switches = np.flatnonzero(told[1:] != told[:-1]) + 1
    known, found = {int(told[0])}, list[Change]()
    for number, place in enumerate(switches):
        name = int(told[place])
        if name in known:
            continue
        later = (int(told[p]) for p in switches[number + 1 :])
        back = next((p for p, n in zip(switches[number + 1 :], later, strict=True) if n in known),
                    None)  # fmt: skip
        row = rows[place]
        found.append(Change(
            provider=facts.name(facts.provider[row]),
            model=facts.name(facts.model[row]),
            before=facts.name(told[place - 1]),
            after=facts.name(name),
            leaf=int(facts.index[row]),
            at=clock.iso(int(facts.at[row])),
            back=None if back is None else int(facts.index[rows[back]]),
            answers=int((told == name).sum()),
        ))  # fmt: skip
        known.add(name)
    return found
