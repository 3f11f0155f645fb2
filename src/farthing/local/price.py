"""The embedded model's price: the machine's time, by what its tokens take of it.

    dollars for a token = dollars for an hour × measured seconds for a token / 3600

Measured once for a data folder and kept, so that prices do not change from start to start;
delete local-speed.json there to measure again. Tokens from the model's prompt cache take no
time worth measuring and cost nothing.
"""

from __future__ import annotations

from decimal import Decimal

from farthing import money
from farthing.local.model import Speed
from farthing.local.weights import MODEL
from farthing.prices.book import Model, Row

MICROSECONDS_PER_HOUR = 3600 * 1_000_000


def priced(speed: Speed, dollars_per_hour: Decimal, context_tokens: int) -> Model:
    """Return the embedded model's row of the price book."""
    hour = money.nanodollars(dollars_per_hour)
    prices = {
        "input": _for_a_million(speed.input_us, speed.input_tokens, hour),
        "output": _for_a_million(speed.output_us, speed.output_tokens, hour),
        "cache_read": 0,
    }
    return Model(
        id=MODEL,
        rows=[Row(prices={meter: [(0, price)] for meter, price in prices.items()})],
        context=context_tokens,
        source=(
            f"${dollars_per_hour} for an hour of this machine, which takes {speed.input_us} µs for "
            f"{speed.input_tokens} input tokens and {speed.output_us} µs for "
            f"{speed.output_tokens} output tokens"
        ),
    )


def _for_a_million(microseconds: int, tokens: int, hour: int) -> int:
    """Return nanodollars for a million tokens, rounded up."""
    return -(-microseconds * money.PER_MILLION * hour // (tokens * MICROSECONDS_PER_HOUR))
