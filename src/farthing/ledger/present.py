"""A query's record as people and programs read it: exact dollars, ISO times."""

from __future__ import annotations

from typing import Any

from farthing import clock, money
from farthing.wire.dialect import Usage

METERS = Usage.__struct_fields__  # as records.METERS, without importing SQL


def presented(record: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the records in the shape of `GET /v1/queries/{id}`."""
    cost, overrun = record["cost"], record["overrun"]
    return {
        "id": record["id"],
        "status": record["status"],
        "model": f"{record['provider']}/{record['model']}",
        "asked_model": record["asked_model"],
        "answered_model": record["answered_model"],
        "dialect": record["dialect"],
        "stream": bool(record["stream"]),
        "key": record["key"],
        "began": clock.iso(record["began"]),
        "ended": clock.iso(record["ended"]) if record["ended"] else None,
        "cost_usd": None if cost is None else money.dollars(cost),
        "held_usd": money.dollars(record["held"]),
        "unpriced": bool(record["unpriced"]),
        "overrun_usd": None if overrun is None else money.dollars(overrun),
        **paid(record),
        "usage": usage(record),
        "http_status": record["http_status"],
        "first_byte_ms": _milliseconds(record["first_byte_us"]),
        "total_ms": _milliseconds(record["total_us"]),
        "upstream_id": record["upstream_id"],
        "finish": record["finish"] or None,
        "losses": record["losses"].split(", ") if record["losses"] else [],
        "reason": record["reason"],
    }


def paid(record: dict[str, Any]) -> dict[str, str | None]:
    """Return what a query cost at list, what paid for it, and what that was bought for."""
    names = ("list_cost", "from_credit", "from_commitment", "effective")
    told = ("list_usd", "from_credit_usd", "from_commitment_usd", "effective_usd")
    amounts = [record[name] for name in names]
    return dict(zip(told, [None if n is None else money.dollars(n) for n in amounts], strict=True))


def usage(record: dict[str, Any]) -> dict[str, int] | None:
    """Return what each meter counted; None where no answer told it."""
    return None if record["input"] is None else {meter: record[meter] for meter in METERS}


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000
