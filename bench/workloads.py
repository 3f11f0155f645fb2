"""What every system is asked for, and what a turn of one system is told as."""

from __future__ import annotations

from typing import Literal

import msgspec
from bench.measure import Result

PROXIES = ("nginx", "haproxy", "envoy")
FARTHING = ("power", "process")
GATEWAYS = ("litellm", "portkey")
SYSTEMS = ("direct", *PROXIES, *FARTHING, *GATEWAYS)

Shape = Literal["whole", "streams", "paced", "open"]


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of every system."""

    name: str
    title: str
    shape: Shape = "whole"
    arguments: tuple[str, ...] = ()
    """Of the rig."""
    systems: tuple[str, ...] = SYSTEMS
    """Those that can do it."""
    brief: tuple[str, ...] = ("direct", "nginx", "power")
    """Those that are asked when nobody says which."""
    against: str = ""
    """The workload whose figures of nginx this one's are held against, if it is another."""
    tls: bool = False
    share: float = 0.0
    """Of an open loop: its rate, as a share of what the system carried in `whole`."""

    @property
    def baseline(self) -> str:
        """The workload that nginx's figures are taken from."""
        return self.against or self.name


class Sample(msgspec.Struct):
    """One turn of one system."""

    round: int
    workload: str
    system: str
    result: Result
    worker_us: float
    """CPU time for each query of what serves queries, in microseconds; the warm-up included."""
    rest_us: float
    """The same of its other processes, until their work on the queries was done."""
    behind_seconds: float
    """How long that took after the last answer."""
    resident_mb: float
    disturbed: float
    """The share of a core that others used meanwhile."""


# An event each 20 ms is what a model of 50 tokens a second sends. The clients begin at moments
# that fall all over that interval, and over a stream's length: no two streams go in step.
_PACE = (
    *("--stream", "--burst", "1", "--events", "100"),
    *("--interval-us", "20000", "--spread-us", "2020000", "--warmup", "2.2"),
)
_PACED = ("--connections", "1000", *_PACE)
_NO_SLOW = tuple(name for name in SYSTEMS if name not in GATEWAYS)

WORKLOADS = (
    Workload(
        name="whole",
        title="Whole answers of 1 kB, 64 connections",
        brief=("direct", *PROXIES, *FARTHING),
    ),
    Workload(
        name="streams",
        title="Streams of 200 events, 64 connections",
        shape="streams",
        arguments=("--stream",),
        brief=("direct", *PROXIES, "power"),
    ),
    Workload(
        name="paced",
        title="1,000 streams, an event each 20 ms",
        shape="paced",
        arguments=_PACED,
        systems=_NO_SLOW,
    ),
    Workload(
        name="paced-500",
        title="500 streams, an event each 20 ms",
        shape="paced",
        arguments=("--connections", "500", *_PACE),
        systems=_NO_SLOW,
    ),
    Workload(
        name="requests-100kb",
        title="Requests of 100 kB, 64 connections",
        arguments=("--query-bytes", "100000"),
        brief=("direct", *PROXIES, "power"),
    ),
    Workload(
        name="slow",
        title="A provider that takes 60 ms, 1,000 connections",
        arguments=("--connections", "1000", "--delay-us", "60000", "--spread-us", "60000"),
        systems=tuple(name for name in SYSTEMS if name != "litellm"),
    ),
    Workload(
        name="crossing",
        title="Messages to chat, whole answers, 64 connections",
        arguments=("--messages",),
        systems=(*FARTHING, "litellm"),
        brief=("power",),
        against="whole",
    ),
    Workload(
        name="crossing-streams",
        title="Messages to chat, streams of 200 events, 64 connections",
        shape="streams",
        arguments=("--messages", "--stream"),
        systems=(*FARTHING, "litellm"),
        brief=("power",),
        against="streams",
    ),
    Workload(
        name="crossing-paced",
        title="Messages to chat, 1,000 streams, an event each 20 ms",
        shape="paced",
        arguments=("--messages", *_PACED),
        systems=FARTHING,
        brief=("power",),
        against="paced",
    ),
    Workload(
        name="tls",
        title="Whole answers of 1 kB, TLS to the provider",
        systems=(*PROXIES, *FARTHING),
        brief=("nginx", "power"),
        tls=True,
    ),
    Workload(
        name="rate-100",
        title="100 queries/s, evenly",
        shape="open",
        arguments=("--rate", "100"),
        systems=tuple(name for name in SYSTEMS if name != "litellm"),
        brief=("direct", "nginx", *FARTHING),
    ),
    Workload(
        name="rate-1000",
        title="1,000 queries/s, evenly",
        shape="open",
        arguments=("--rate", "1000"),
        systems=_NO_SLOW,
        brief=("direct", "nginx", *FARTHING),
    ),
    Workload(
        name="open",
        title="At random moments, 70% of what each carries, 1,000 connections",
        shape="open",
        arguments=("--poisson", "--connections", "1000"),
        systems=SYSTEMS[1:],
        brief=("nginx", *FARTHING),
        share=0.7,
    ),
)
