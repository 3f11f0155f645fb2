"""Real runs of the framework against a real gateway: whole, up to a limit, and interrupted.

Each starts the framework, which takes seconds; they run side by side, once for all tests here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.support.gateway import RunningGateway
from tests.support.provider import FakeProvider

from farthing import clock
from farthing.errors import ConfigError
from farthing.ledger.entry import Hold, Key, Limit, Revoke, Settle
from farthing.ledger.evaluation import Evaluation
from farthing.paths import DataFolder
from farthing.report.evaluation import run as module
from farthing.report.evaluation.run import Asked, Run
from farthing.report.evaluation.told import Began, Ended, Said, Sampled

TASKS = Path(__file__).parents[2] / "support" / "pennies.py"
COST = 27_000
"""Of each query to our provider, in nanodollars."""


class Made(NamedTuple):
    """A run and what came of it."""

    run: Run
    entry: Evaluation
    said: list[Said]

    @property
    def log(self) -> Path:
        (path,) = self.run.folder.glob("*.eval")
        return path


class Runs(NamedTuple):
    """All of them, and the gateway they ran against."""

    gateway: RunningGateway
    task: Path
    whole: Made
    limited: Made
    interrupted: Made


@pytest.fixture(scope="module")
def patient(
    tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider
) -> Iterator[RunningGateway]:
    """A gateway whose time-outs no busy machine meets: a request that is sent again is another."""
    running = RunningGateway(tmp_path_factory.mktemp("gateway"), shared_provider.toml())
    yield running
    running.stop()


@pytest.fixture(scope="module")
def whole_log(runs: Runs) -> Any:
    return by_inspect(runs.whole.log)


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory,
    shared_provider: FakeProvider,
    patient: RunningGateway,
) -> Runs:
    task = tmp_path_factory.mktemp("tasks") / "pennies.py"
    shutil.copy(TASKS, task)
    one, provider = f"{task}@pennies", shared_provider

    def made(asked: Asked, *, interrupt: bool = False) -> Made:
        said: list[Said] = []
        run = Run(patient.data, asked, said.append)
        if interrupt:
            threading.Thread(target=_interrupt, args=(run, provider)).start()
        return Made(run, run.run(), said)

    other = {"other": "openai/fake/gated"}
    with pytest.MonkeyPatch.context() as environ, ThreadPoolExecutor() as pool:
        environ.setenv("CANARY_API_KEY", "canary")
        environ.setenv("HTTP_PROXY", "http://canary.example")
        whole = pool.submit(made, Asked(one, "echo", {"n": "4"}, limit=3, epochs=2, at_once=4))
        # One query's hold is 1,124 tokens and its text; three leave too little for a fourth.
        limited = pool.submit(
            made, Asked(one, "fake/echo", {"n": "5"}, max_usd=1_290_000, max_tokens=100)
        )
        stopped = pool.submit(made, Asked(one, "echo", other), interrupt=True)
        return Runs(patient, task, whole.result(), limited.result(), stopped.result())


def _interrupt(run: Run, provider: FakeProvider) -> None:
    """Stop it while its first query is with the provider."""
    assert provider.reached.wait(60)
    run.stop()
    provider.gate.set()


def by_inspect(log: Path) -> Any:
    """What the framework's own reader says of its log, from which the figures are made anew."""
    program = (
        "import json, sys\nfrom inspect_ai.log import read_eval_log\n"
        "log, by = read_eval_log(sys.argv[1]), {}\n"
        "for s in log.samples: by.setdefault(s.id, []).append(s.scores['includes'].value == 'C')\n"
        "print(json.dumps({'right': [sum(v) / len(v) for v in by.values()], 'status': log.status,"
        "'calls': sum(e.event == 'model' for s in log.samples for e in s.events),"
        "'asked': [[s.id, s.input, s.target] for s in log.samples if s.epoch == 1]}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(log)], capture_output=True, text=True, check=True
    )
    return json.loads(ran.stdout)


def test_a_whole_run_is_recorded_with_its_figure_its_interval_and_its_cost(
    runs: Runs, whole_log: Any
) -> None:
    """Recomputed from the framework's log by its own reader, and from the ledger by key."""
    made, told = runs.whole.entry, whole_log
    assert (made.task, made.version, made.model) == ("pennies", "2", "echo")
    assert (made.outcome, made.reason) == ("complete", "")
    assert (made.samples, made.epochs, made.completed) == (3, 2, 6)
    (score,) = made.scores
    assert (score.scorer, score.metric, score.n) == ("includes", "accuracy", 3)
    assert float(score.value) == sum(told["right"]) / 3 == pytest.approx(2 / 3)
    # statsmodels' proportion_confint(2, 3, method="wilson") gives 0.207659… and 0.938508…
    assert (score.low, score.high, score.method) == ("0.207659", "0.938509", "wilson-95")
    assert made.calls == made.queries == told["calls"] == 6
    ends = {e.id: e.usd for e in runs.gateway.entries() if isinstance(e, Settle)}
    mine = [e.id for e in runs.gateway.entries() if isinstance(e, Hold) and e.key == made.key]
    assert len(mine) == 6 and made.usd == sum(ends[query] for query in mine) == 6 * COST
    assert (made.unknown, made.held, made.served) == (0, 0, ("fake/echo",))
    assert made.log_sha256 == sha256(runs.whole.log.read_bytes()).hexdigest()


def test_its_samples_are_known_by_a_digest_that_anybody_can_make(
    runs: Runs, whole_log: Any
) -> None:
    asked = whole_log["asked"]
    lines = [
        json.dumps({"id": i, "input": text, "target": target}, separators=(",", ":"))
        for i, text, target in asked
    ]
    digest = sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
    assert runs.whole.entry.dataset_sha256 == digest
    assert runs.interrupted.entry.dataset_sha256 == digest  # the same three samples
    assert runs.limited.entry.dataset_sha256 != digest  # two more


def test_its_entries_are_where_it_says(runs: Runs) -> None:
    for made in (runs.whole.entry, runs.limited.entry):
        entries = runs.gateway.entries()
        places = {e.id: n for n, e in enumerate(entries, 1) if isinstance(e, Hold)}
        mine = {e.id for e in entries if isinstance(e, Hold) and e.key == made.key}
        ends = [n for n, e in enumerate(entries, 1) if isinstance(e, Settle) and e.id in mine]
        assert (made.first, made.last) == (min(places[q] for q in mine), max(ends))


def test_its_queries_are_told_apart_by_a_key_and_a_tag_and_the_key_ends_with_it(
    runs: Runs,
) -> None:
    entries = runs.gateway.entries()
    for made in (runs.whole, runs.limited, runs.interrupted):
        key, tag = made.entry.key, f"tag:eval:{made.entry.id}"
        (new,) = [e for e in entries if isinstance(e, Key) and e.id == key]
        assert new.expires is not None and new.expires < clock.wall() + 8 * 86_400 * clock.SECOND
        assert [e.id for e in entries if isinstance(e, Revoke)].count(key) == 1
        asked = [e for e in entries if isinstance(e, Hold) and e.key == key]
        assert asked and all(tag in e.path for e in asked) == (made is not runs.interrupted)
        assert entries.index(new) < entries.index(asked[0])


def test_a_run_whose_limit_is_reached_is_partial(runs: Runs) -> None:
    made = runs.limited.entry
    (limit,) = [
        e for e in runs.gateway.entries() if isinstance(e, Limit) and e.scope == f"key:{made.key}"
    ]
    assert (limit.unit, limit.amount, limit.soft, limit.window) == ("usd", 1_290_000, False, "ever")
    assert (made.outcome, made.samples) == ("partial", 5)
    assert 0 < made.completed < 5 and made.queries == made.completed
    assert made.usd == made.completed * COST <= 1_290_000
    assert made.calls == 5, "those that were refused before they were sent are no queries"
    assert "402" in made.reason
    assert [score.n for score in made.scores] == [made.completed]


def test_a_run_that_is_interrupted_leaves_a_record_and_no_key(runs: Runs) -> None:
    made = runs.interrupted
    assert (made.entry.outcome, made.entry.completed) == ("failed", 0)
    assert made.entry.reason == "cancelled" and made.entry.scores == ()
    assert made.entry.samples == 3
    # The provider had it and answered: what it cost is the run's. It was the vendor's client, which
    # tries a model before it is asked anything: it came to the gateway, with the run's key.
    assert (made.entry.queries, made.entry.usd, made.entry.unknown) == (1, COST, 0)
    assert made.entry.served == ("fake/gated",) and made.entry.calls == 1
    assert made.entry in runs.gateway.entries()


def test_no_address_but_the_gateway_is_connected_to(runs: Runs) -> None:
    """Not even by a task that asks a vendor's model by the vendor's own client."""
    connected = set((runs.task.parent / "connected.txt").read_text().splitlines())
    assert connected == {f"('127.0.0.1', {runs.gateway.port})"}


def test_a_task_sees_no_key_but_the_runs_and_no_address_but_the_gateways(runs: Runs) -> None:
    seen = (runs.task.parent / "seen.txt").read_text().splitlines()
    assert not [line for line in seen if "canary" in line.lower()]
    keys = [line.partition("=")[2] for line in seen if "_API_KEY=" in line]
    assert len(keys) > 2 and all(key.startswith("fk_") for key in keys)
    addresses = [line.partition("=")[2] for line in seen if "_BASE_URL=" in line]
    assert addresses and all(a.startswith(runs.gateway.address) for a in addresses)


def test_its_progress_is_told(runs: Runs) -> None:
    began, *sampled, ended = runs.whole.said
    assert isinstance(began, Began) and (began.samples, began.epochs) == (3, 2)
    assert sampled == [Sampled(True)] * 6
    assert isinstance(ended, Ended) and ended.log == str(runs.whole.log)


def test_the_key_is_in_no_file_of_the_run(runs: Runs) -> None:
    for made in (runs.whole, runs.limited, runs.interrupted):
        assert made.run.folder.stat().st_mode & 0o777 == 0o700
        for path in (p for p in made.run.folder.rglob("*") if p.is_file()):
            assert b"fk_" not in path.read_bytes(), path


def test_the_ledger_took_them_and_they_are_in_the_records(runs: Runs) -> None:
    taken = [e for e in runs.gateway.entries() if isinstance(e, Evaluation)]
    assert {e.id for e in taken} == {m.entry.id for m in runs[2:]}


# -- without the framework ---------------------------------------------------------------------


@pytest.fixture
def idle(tmp_path: Path) -> DataFolder:
    """A data folder on which a gateway seems to run."""
    data = DataFolder(tmp_path / "data")
    data.address.write_text("http://127.0.0.1:9\n")
    return data


def test_what_is_missing_is_said_before_anything_is_done(
    idle: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(str(tmp_path / "none.py"), "m", {})
    with pytest.raises(ConfigError, match=r"there is no file .*none\.py; name a Python file"):
        Run(idle, asked, print)
    with pytest.raises(ConfigError, match=r"no gateway runs on .*; start one with `farthing up`"):
        Run(DataFolder(tmp_path / "other"), asked, print)
    monkeypatch.setattr(module, "INSPECT_NEEDS", ("no_such_module",))
    with pytest.raises(ConfigError, match=r"pip install 'farthing\[eval\]'"):
        Run(idle, asked, print)
    assert not idle.journal.exists()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A process that ends at once, in the framework's place."""
    monkeypatch.setattr(module, "MODULE", "this_module_is_not_there")
    path = tmp_path / "t.py"
    path.write_text("")
    yield path


def test_a_process_that_dies_is_a_failed_run_and_its_key_is_revoked(
    gateway: RunningGateway, quick: Path
) -> None:
    made = Run(gateway.data, Asked(str(quick), "echo", {}), print).run()
    assert (made.outcome, made.task, made.calls, made.log_sha256) == ("failed", "t.py", None, "")
    assert "its process" in made.reason
    entries = gateway.entries()
    assert made in entries and [e.id for e in entries if isinstance(e, Revoke)] == [made.key]


def test_a_scope_that_is_not_there_is_an_error_and_nothing_runs(
    gateway: RunningGateway, quick: Path
) -> None:
    with pytest.raises(ConfigError, match="team:none"):
        Run(gateway.data, Asked(str(quick), "echo", {}, parent="team:none"), print).run()
    assert not [e for e in gateway.entries() if isinstance(e, Key | Evaluation)]


def test_a_query_that_does_not_end_is_not_waited_for_when_it_is_stopped_again(
    gateway: RunningGateway, provider: FakeProvider, quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it can cost at most is recorded, and told apart from what is known."""
    run, threads = Run(gateway.data, Asked(str(quick), "echo", {}), print), list[threading.Thread]()

    def ask(key: str) -> None:
        threads.append(threading.Thread(target=gateway.chat, args=(key, "gated")))
        threads[0].start()
        assert provider.reached.wait(20)
        run.stop()
        run.stop()

    monkeypatch.setattr(run, "_ask", ask)
    made = run.run()
    provider.gate.set()
    threads[0].join(20)
    (held,) = [e for e in gateway.entries() if isinstance(e, Hold)]
    assert (made.queries, made.usd, made.unknown, made.held) == (1, 0, 1, held.usd)
