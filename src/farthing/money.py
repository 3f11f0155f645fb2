"""Money as integers: one unit is a nanodollar (a thousand-millionth of a dollar).

A price is nanodollars for a million units of its meter (tokens, mostly), so every published
price down to a ten-thousandth of a cent for a million tokens is an exact integer. An amount is
quantities times prices, summed first and rounded once, upwards: `charge` is the only place
where money is rounded. No float takes part.
"""

from decimal import ROUND_UP, Context, Decimal, InvalidOperation

NANO = 1_000_000_000
PER_MILLION = 1_000_000

# The largest amount a journal can carry (64 bits, signed): nine thousand million dollars.
MOST = 2**63 - 1
MOST_DOLLARS = Decimal(MOST).scaleb(-9)

# Digits enough for any amount with its decimals; what goes on beyond them is rounded up.
_UP = Context(prec=60, rounding=ROUND_UP)


def nanodollars(dollars: str | int | Decimal) -> int:
    """Return an exact dollar amount as nanodollars.

    Raises:
        ValueError: not a decimal number, negative, too large, or finer than a nanodollar.
    """
    scaled = _scaled(dollars)
    if scaled != scaled.to_integral_value():
        raise ValueError(
            f"{dollars} has more than nine decimals; the smallest amount is a nanodollar"
        )
    return int(scaled)


def exact(dollars: str) -> int:
    """Return what `dollars` wrote as nanodollars again: fast, for reading millions of them.

    Raises:
        ValueError: nothing that `dollars` would have written.
    """
    whole, _, decimals = dollars.partition(".")
    if len(decimals) > 9 or not (whole + decimals).isdecimal():
        raise ValueError(f"{dollars!r} is not an amount of dollars to the nanodollar")
    return int(whole + decimals.ljust(9, "0"))


def nanodollars_up(dollars: str | int | Decimal) -> int:
    """Return a dollar amount as nanodollars, rounded up: for prices finer than the unit."""
    return int(_scaled(dollars).to_integral_value(rounding=ROUND_UP))


def _scaled(dollars: str | int | Decimal) -> Decimal:
    try:
        value = Decimal(dollars)
    except InvalidOperation:
        raise ValueError(f"{dollars!r} is not a decimal number of dollars, such as 2.50") from None
    if not value.is_finite() or value < 0 or value > MOST_DOLLARS:
        raise ValueError(f"{dollars} is not an amount between 0 and 9,000,000,000 dollars")
    return _UP.multiply(value, NANO)


def dollars(amount: int) -> str:
    """Return nanodollars as the shortest exact decimal string of dollars, such as "0.0025"."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), NANO)
    decimals = f"{fraction:09d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def charge(units_times_price: int) -> int:
    """Return nanodollars for a sum of quantity × price-per-million, rounded up once."""
    return -(-units_times_price // PER_MILLION)
