"""What a refusal of the ledger's means to the one who asked."""

from __future__ import annotations

from farthing import clock, money
from farthing.errors import Refused
from farthing.ledger.entry import Key, Refusal, Warned

RETRY_SECONDS = 1

# Until when a Retry-After makes sense to a client; a month's end is told in words alone.
RETRY_MOST_SECONDS = 24 * 3600

WINDOWS = {
    "ever": "",
    "month": " a month",
    "day": " a day",
    "hour": " an hour",
    "minute": " a minute",
}


def explain(refusal: Refusal, key: Key, now: int = 0) -> Refused:
    """Turn a ledger's refusal of a hold into an error whose sentence says what to do."""
    code = refusal.code
    if code == "limit_reached":
        return _limited(refusal, key, now)
    if code in SENTENCES:
        return Refused(code, SENTENCES[code](refusal, key))
    if code == "journal_full":
        return Refused(
            "journal_full",
            "The gateway's disk is full, so this query cannot be recorded and was not sent. "
            "Its operator must free space in the data folder; then queries are taken again.",
            retry_after=RETRY_SECONDS,
        )
    if code in ("unknown_key", "revoked_key", "expired_key"):
        return Refused(code, f"The key {key.id} ({key.name}) no longer opens.")
    return Refused(
        "ledger_unavailable",
        "The ledger cannot answer, so this query was not sent and costs nothing. Try again in a "
        "moment; if this lasts, see `farthing doctor` on the gateway's machine.",
        retry_after=RETRY_SECONDS,
    )


def warning(warned: Warned) -> str:
    """Return what a client is told of a soft limit that its query passed, for a header."""
    limit = told_limit(warned.unit, warned.limit, warned.window)
    return f"{warned.scope} is at {_amount(warned.unit, warned.total)} of {limit}"


def told_limit(unit: str, amount: int, window: str) -> str:
    """Return a limit in words, such as "$5 a day"."""
    return f"{_amount(unit, amount)}{WINDOWS[window]}"


def _limited(refusal: Refusal, key: Key, now: int) -> Refused:
    """Money is answered 402; what comes back by itself or soon is a rate, answered 429."""
    unit, retry = refusal.unit, None
    rate = unit == "concurrent" or (unit != "usd" and refusal.window != "ever")
    if unit == "concurrent":
        retry = RETRY_SECONDS
    elif refusal.refills is not None:
        seconds = -((now - refusal.refills) // clock.SECOND)
        retry = max(RETRY_SECONDS, seconds) if seconds <= RETRY_MOST_SECONDS else None
    code = "rate_limited" if rate else "limit_reached"
    return Refused(code, _limit_sentence(refusal, key), retry_after=retry)


def _limit_sentence(refusal: Refusal, key: Key) -> str:
    unit, told = refusal.unit, told_limit(refusal.unit, refusal.limit, refusal.window)
    limit = f"{_named(refusal.scope, key)} has a limit of {told}"
    if unit == "concurrent":
        return f"{limit}, and {refusal.held} are open. It was not sent. {_remedy(refusal)}"
    # A limit that was lowered, or a bill above its hold, may leave less than nothing.
    left = max(0, refusal.limit - refusal.posted - refusal.held)
    wanted = f", while this query can cost up to {_amount(unit, refusal.wanted)}"
    return (
        f"{limit}: "
        f"{_amount(unit, refusal.posted)} is spent, {_amount(unit, refusal.held)} is held by "
        f"queries that are still open, and {_amount(unit, left)} is left"
        f"{wanted if unit != 'requests' else ''}. It was not sent. {_remedy(refusal)}"
    )


def _remedy(refusal: Refusal) -> str:
    """Return what to do; only what is counted by its size is helped by less output."""
    if refusal.unit == "concurrent":
        return "Wait for open queries to end, or have the limit raised."
    less = "" if refusal.unit == "requests" else "ask for less output (max_tokens), "
    if refusal.refills is not None:
        when = clock.iso(refusal.refills)
        return f"It refills at {when}; {less or 'wait until then, '}or have it raised."
    remedy = f"{less}wait for open queries to end, or have the limit raised."
    return remedy[0].upper() + remedy[1:]


def _credit_sentence(refusal: Refusal, key: Key) -> str:
    left = max(0, refusal.limit)  # below nothing where bills above their holds are owed
    return (
        f"{_named(refusal.scope, key)} is prepaid and has ${money.dollars(left)} of credit left, "
        f"while this query can cost up to ${money.dollars(refusal.wanted)}. It was not sent. Ask "
        "for less output (max_tokens), or have the credit topped up."
    )


def _unpriced_sentence(refusal: Refusal, key: Key) -> str:
    return (
        f"{_named(refusal.scope, key)} has a limit in {refusal.unit}, and what this query can cost "
        "is not known, so it was not sent. Ask for something that can be priced and bounded, or "
        "use a key without limits."
    )


def _tripped_sentence(refusal: Refusal, _: Key) -> str:
    model = refusal.scope.partition(":")[2]
    return (
        f"{model} billed more than the bound that its queries are held at, so nothing more is sent "
        "to it: limits could leak. Use another model; the gateway's operator finds the query with "
        f"`farthing log` and opens it again with `farthing holds reset {model}`."
    )


SENTENCES = {
    "credit_exhausted": _credit_sentence,
    "unpriced_under_limit": _unpriced_sentence,
    "route_tripped": _tripped_sentence,
}


def _named(scope: str, key: Key) -> str:
    kind, _, name = scope.partition(":")
    return f"The key {key.id} ({key.name})" if scope == f"key:{key.id}" else f"The {kind} {name}"


def _amount(unit: str, amount: int) -> str:
    if unit == "usd":
        return f"${money.dollars(amount)}"
    return f"{amount} {unit}" if unit != "concurrent" else f"{amount} open requests"
