"""What client libraries call an address that speaks their dialects, for programs that we start.

A program is told the gateway's address and a key of the gateway's under these names, so that what
it would send to a vendor comes to the gateway instead.
"""

from __future__ import annotations

# Inspect's name of a service that speaks the chat dialect, and how it is told where that is.
# https://inspect.aisi.org.uk/providers.html#openai-api
INSPECT_MODEL = "openai-api/farthing/{}"
INSPECT_NEEDS = ("inspect_ai", "openai")

# Variables of an address, each with what comes after the gateway's.
_ADDRESSES = {
    "FARTHING_BASE_URL": "/v1",
    "OPENAI_BASE_URL": "/v1",
    "ANTHROPIC_BASE_URL": "",
    "GOOGLE_BASE_URL": "",
}
_KEYS = ("FARTHING_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY")


def pointed_at(address: str, key: str) -> dict[str, str]:
    """Return the variables that lead all of them to the gateway."""
    told = {name: address + path for name, path in _ADDRESSES.items()}
    return {**told, **dict.fromkeys(_KEYS, key)}
