"""What an answer says that it was billed, where a provider says it: then that is the cost.

As exact decimals, in dollars, beside the counts of tokens:

- `cost`, a number; what the account's own key of an upstream is billed besides is in
  `cost_details.upstream_inference_cost`, where `is_byok` says that such a key was used.
  https://openrouter.ai/docs/use-cases/usage-accounting
- `cost.total_cost`. https://docs.perplexity.ai/api-reference/chat-completions-post
- `cost_in_usd_ticks`, of which a dollar has ten thousand million.
  https://docs.x.ai/docs/api-reference
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from farthing.money import nanodollars_up

TICKS = Decimal(10**10)

_usages = re.compile(rb'"usage"\s*:\s*(?=\{)').finditer
_decoder = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal)


def stated_usd(text: bytes) -> int | None:
    """Return what the last usage in a JSON text says was billed, in nanodollars, rounded up.

    None where it says nothing, or nothing that is an amount.
    """
    places = list(_usages(text))
    if not places:
        return None
    try:
        usage, _ = _decoder.raw_decode(text[places[-1].end() :].decode("utf-8", "replace"))
        told = _told(usage)
        return None if told is None else nanodollars_up(told)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _told(usage: dict[str, Any]) -> Decimal | None:
    if isinstance(ticks := usage.get("cost_in_usd_ticks"), Decimal):
        return ticks / TICKS
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    if not isinstance(cost, Decimal):
        return None
    return cost + _upstream(usage) if usage.get("is_byok") is True else cost


def _upstream(usage: dict[str, Any]) -> Decimal:
    """Return what an upstream bills the account's own key; unknown is an error, not nothing."""
    details = usage.get("cost_details")
    told = details.get("upstream_inference_cost") if isinstance(details, dict) else None
    if not isinstance(told, Decimal):
        raise ValueError("an own key was used, and what it is billed is not told")
    return told
