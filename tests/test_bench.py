"""The benchmarks' own arithmetic: a figure that is computed wrongly misleads like a wrong one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench import guard
from bench.guard import Counting, excess
from bench.measure import BenchError, Result
from bench.publish import BEGIN, DOCS, END, relative, replace_block
from bench.show import Figures, cpu, cpu_per_event
from bench.workloads import WORKLOADS, Sample, Workload

RESULT = Result(
    completed=0,
    per_second=0,
    events=0,
    events_per_second=0,
    p50_us=0,
    p99_us=0,
    max_us=0,
    delay_p50_us=0,
    delay_p99_us=0,
    delay_max_us=0,
    stalled=0,
    sent=10,
    answered=10,
    non_2xx=0,
    broken=0,
    wrong_size=0,
    unanswered=0,
    idle=0.5,
    on_core=1,
    input_tokens=200,
    output_tokens=100,
)
WHOLE = Workload(name="whole", title="Whole")
CROSSING = Workload(name="crossing", title="Crossing", against="whole")


def sample(
    workload: str, system: str, number: int, *, per_second: float = 0.0, events: int = 0
) -> Sample:
    result = Result(**{f: getattr(RESULT, f) for f in RESULT.__struct_fields__})
    result.per_second, result.events = per_second, events
    return Sample(number, workload, system, result, 30.0, 10.0, 0.0, 0.0, 0.0)


SAMPLES = [
    sample("whole", "nginx", 1, per_second=100),
    sample("whole", "nginx", 2, per_second=50),
    sample("whole", "nginx", 3, per_second=80),
    sample("crossing", "power", 1, per_second=10),
    sample("crossing", "power", 2, per_second=10),
    sample("crossing", "power", 3, per_second=10),
]


def test_a_ratio_is_of_the_same_round_and_the_workload_it_is_held_against() -> None:
    figures = Figures(CROSSING, SAMPLES)
    assert figures.systems == ["power"]
    assert figures.ratio("power", lambda s: s.result.per_second) == 10 / 80
    assert Figures(WHOLE, SAMPLES).ratio("nginx", lambda s: s.result.per_second) == 1


def test_who_does_the_same_is_held_against_for_that() -> None:
    samples = [
        *SAMPLES,
        sample("whole", "litellm", 1, per_second=40),
        sample("crossing", "litellm", 1, per_second=2),
    ]
    figures = Figures(CROSSING, samples)
    assert figures.ratio("power", lambda s: s.result.per_second, "litellm") == 10 / 2


def test_without_nginx_there_is_no_ratio() -> None:
    mine = [s for s in SAMPLES if s.system != "nginx"]
    assert Figures(CROSSING, mine).ratio("power", lambda s: s.result.per_second) is None
    assert relative(CROSSING, mine) == {}


def test_an_event_costs_its_share_of_all_that_was_used() -> None:
    taken = sample("paced", "power", 1, events=200)
    assert cpu(taken) == 40.0
    assert cpu_per_event(taken) == 40.0 * 10 / 200


def test_the_figures_in_the_documents_are_replaced_and_nothing_else() -> None:
    page = f"a\n```\nb\n```\n{BEGIN}\n```\nold\n```\n\n{END}c\n```\nd\n```\n"
    assert replace_block(page, "\n```\nnew \\1\n```\n\n") == page.replace("old", "new \\1")
    with pytest.raises(BenchError, match="one place"):
        replace_block("nothing here", "```\nnew\n```")


def test_the_documents_have_a_place_for_the_figures() -> None:
    assert replace_block(DOCS.read_text(), "") != DOCS.read_text()


def test_every_workload_is_held_against_one_that_nginx_does() -> None:
    by_name = {workload.name: workload for workload in WORKLOADS}
    for workload in WORKLOADS:
        base = by_name[workload.baseline]
        assert "nginx" in base.systems and "nginx" in base.brief
        assert set(workload.brief) <= set(workload.systems)
        assert list(by_name).index(base.name) <= list(by_name).index(workload.name)


def test_a_tenth_more_is_told_and_noise_is_not() -> None:
    as_recorded = {path: (float(a), float(b)) for path, (a, b) in guard.CEILINGS.items()}
    assert excess(as_recorded) == []
    for path, (instructions, calls) in as_recorded.items():
        [told] = excess({**as_recorded, path: (instructions * 1.1, calls)})
        assert told.startswith(f"{path}: ") and "10% more" in told and "CEILINGS" in told
        assert len(excess({**as_recorded, path: (instructions, calls * 1.1)})) == 1


def test_what_is_counted_is_what_runs() -> None:
    def work(times: int) -> int:
        return sum(abs(n) for n in range(times))

    counts = []
    for times in (10, 20, 20):
        with Counting() as counted:
            work(times)
        counts.append((counted.instructions, counted.calls))
    assert counts[1] == counts[2]
    assert counts[1][1] - counts[0][1] >= 10
    assert counts[1][0] - counts[0][0] >= 30


def test_the_path_that_every_query_takes_has_not_grown() -> None:
    """In a process of its own, where nothing else is counted."""
    command = [sys.executable, str(Path(guard.__file__))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
