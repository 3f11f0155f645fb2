"""Addresses with blanks: a region, a project, a version, as the environment or the settings say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

PLACE = "place"

# What each query says for itself.
QUERYS_OWN = frozenset({"model", "verb"})

_blank = re.compile(r"\{(\w+)\}").findall


def unfilled(addresses: Iterable[str]) -> list[str]:
    """Return the names of the blanks that are left in addresses, but for a query's own."""
    found = dict.fromkeys(name for address in addresses for name in _blank(address))
    return [name for name in found if name not in QUERYS_OWN]


def values(
    usual: Mapping[str, str], variables: Mapping[str, tuple[str, ...]], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return what blanks are filled with: the first variable that is set, or else the usual."""
    found = {}
    for name in dict.fromkeys([*usual, *variables]):
        told = (environ.get(v, "").strip().rstrip("/") for v in variables.get(name, ()))
        found[name] = next((value for value in told if value), usual.get(name, ""))
    return {name: value for name, value in found.items() if value}


def fill(address: str, values: Mapping[str, str]) -> str:
    """Return an address with its blanks filled, as far as there are values."""
    for name, value in values.items():
        address = address.replace(f"{{{name}}}", value)
    return address
