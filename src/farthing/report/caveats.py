"""What a statement does not show, and what it assumes. It is in every edition, whole."""

from __future__ import annotations

from farthing.report.draft import Draft, notes

CAVEATS = (
    "The log shows what was not changed since it was logged: whoever holds a checkpoint can find a "
    "change to any entry under it. It does not show that an entry was true when it was made.",
    "That all was logged is shown by positions without gaps and by reconciling with providers' "
    "invoices, not by signatures.",
    "Counts of tokens are the providers' own, as their answers tell them, and so are the names of "
    "models and versions in answers.",
    "A cost is the price book's, to the nanodollar, or what the provider stated with its answer. "
    "It is no invoice. What is unknown is never counted as nothing: it is counted as unresolved, "
    "at most what is held.",
    "A query belongs to the period in which it ended, in UTC by the gateway's clock. What is "
    "decided of it later belongs to that later moment; until then what is unresolved is carried "
    "over into the statements of later periods.",
    "Times are measured at the gateway: from a request's last byte to the answer's first, or last.",
    "A forecast is arithmetic on the period, not a promise.",
    "Who holds the signing key could keep a second log for somebody else. Against that helps "
    "keeping old checkpoints and comparing them (`farthing verify growth`).",
    "This statement claims conformity with no law and no standard. It maps evidence to questions; "
    "the judgement is its reader's.",
)


def caveats(draft: Draft) -> None:
    """Write the section."""
    draft.section("caveats", "Limits of this statement, and assumptions", [notes(*CAVEATS)])
