"""What a refusal of the ledger's means to the one who asked."""

from __future__ import annotations

from farthing import money
from farthing.errors import Refused
from farthing.ledger.entry import Key, Refusal

RETRY_SECONDS = 1


def explain(refusal: Refusal, key: Key) -> Refused:
    """Turn a ledger's refusal of a hold into an error whose sentence says what to do."""
    if refusal.code == "limit_reached":
        return Refused("limit_reached", _limit_sentence(refusal, key))
    if refusal.code == "unpriced_under_limit":
        return Refused(
            "unpriced_under_limit",
            f"The key {key.id} ({key.name}) has a limit in {refusal.unit}, and what this query can "
            "cost is not known, so it was not sent. Ask for something that can be priced and "
            "bounded, or use a key without limits.",
        )
    if refusal.code == "journal_full":
        return Refused(
            "journal_full",
            "The gateway's disk is full, so this query cannot be recorded and was not sent. "
            "Its operator must free space in the data folder; then queries are taken again.",
            retry_after=RETRY_SECONDS,
        )
    if refusal.code in ("unknown_key", "revoked_key", "expired_key"):
        return Refused(refusal.code, f"The key {key.id} ({key.name}) no longer opens.")
    return Refused(
        "ledger_unavailable",
        "The ledger cannot answer, so this query was not sent and costs nothing. Try again in a "
        "moment; if this lasts, see `farthing doctor` on the gateway's machine.",
        retry_after=RETRY_SECONDS,
    )


def _limit_sentence(refusal: Refusal, key: Key) -> str:
    left = refusal.limit - refusal.posted - refusal.held
    say = _dollars if refusal.unit == "usd" else _tokens
    return (
        f"The key {key.id} ({key.name}) has a limit of {say(refusal.limit)}: "
        f"{say(refusal.posted)} is spent, {say(refusal.held)} is held by queries that are still "
        f"open, and {say(left)} is left, while this query can cost up to {say(refusal.wanted)}. "
        "It was not sent. Ask for less output (max_tokens), wait for open queries to end, or have "
        "the limit raised."
    )


def _dollars(amount: int) -> str:
    return f"${money.dollars(amount)}"


def _tokens(amount: int) -> str:
    return f"{amount} tokens"
