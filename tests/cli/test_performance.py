"""`farthing performance`: what a gateway's own log says of what really happened."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.evidence import ORIGIN, VERIFIER, Log, entries, make_log
from tests.support.gateway import RunningGateway
from tests.support.provider import COMPLETION_TOKENS, FakeProvider

from farthing.ledger.entry import Limit

DAY = ("--period", "2023-11-14")  # when the queries of tests/support/evidence.py end


def happen(gateway: RunningGateway, provider: FakeProvider) -> None:
    """Have queries answered, cut off, refused and lost; then stop the gateway."""
    key = gateway.key()
    for stream in (False, True, True):
        assert gateway.chat(key, "echo", stream=stream).status == 200
        assert gateway.chat(key, "truncated", stream=stream).status == 200
    for _ in range(4):
        gateway.chat(key, "changing")
    for model in ("rate-limited", "fails", "fails", "bad-gateway", "resets", "no-usage"):
        gateway.chat(key, model)
    limited = gateway.key()
    gateway.enter(Limit(1, "test", f"key:{limited.split('_')[1]}", "requests", 1, "day"))
    statuses = [gateway.chat(limited, "echo").status for _ in range(4)]
    assert statuses == [200, 429, 429, 429]
    provider.close()
    assert gateway.chat(key, "echo").status == 502
    gateway.stop()


def test_what_happened_is_what_is_told(
    cli: Cli, gateway: RunningGateway, provider: FakeProvider
) -> None:
    happen(gateway, provider)
    data = ("--data", str(gateway.data.root))
    told = values(cli("performance", "--json", "--by", "model", *data))[0]
    whole = told["whole"]
    assert {name: rate["count"] for name, rate in whole["classes"].items() if rate["count"]} == {
        "answered": 11, "answered_without_usage": 1, "rate_limited": 1, "server_error": 3,
        "broken": 1, "unreached": 1,
    }  # fmt: skip
    assert (whole["queries"], told["verified"]) == (18, True)
    assert (whole["availability"]["count"], whole["availability"]["of"]) == (12, 18)
    assert (whole["truncated"]["count"], whole["truncated"]["of"]) == (3, 11)
    assert whole["finishes"] == {"end": 8, "length": 3}
    assert (whole["first_event"]["n"], whole["latency"]["n"]) == (4, 11)
    assert 0 < whole["first_event"]["p50"]["value"] <= whole["latency"]["p99"]["value"] < 10**7
    assert whole["throughput"]["p50"]["value"] > COMPLETION_TOKENS
    assert whole["cost"]["total_usd"] == "0.000297"  # 27 tokens at a microdollar, eleven times
    (refused,) = told["refusals"]
    assert (refused["code"], refused["unit"], refused["window"]) == (
        "limit_reached",
        "requests",
        "day",
    )
    assert (refused["count"], told["refused"]["of"]) == (3, 21)
    assert told["attempts"] == {"queries": 18, "attempts": 18, "retries": 0, "fallbacks": 0}
    (change,) = told["changes"]
    assert (change["model"], change["before"], change["after"]) == (
        "changing", "changing-1", "changing-2",
    )  # fmt: skip
    assert change["back"] is None and change["answers"] == 2
    by_model = {group["name"]: group["queries"] for group in told["groups"]}
    assert by_model["fails"] == 2 and sum(by_model.values()) == 18


@pytest.fixture
def log(tmp_path: Any) -> Log:
    return make_log(tmp_path, entries(300))


def test_any_log_can_be_read_and_says_if_it_was_checked(cli: Cli, log: Log) -> None:
    where = ("--log", str(log.folder))
    said = cli("performance", *DAY, *where).stdout
    assert "leaves 1 to 299 of the 300" in said and "NOT verified" in said
    assert "299" in said and "no retries, no fallbacks" in said and "no model changed" in said
    keyed = cli("performance", *DAY, *where, "--key", str(VERIFIER)).stdout
    assert f"of {ORIGIN}, verified" in keyed
    told = values(cli("performance", *DAY, *where, "--key", str(VERIFIER), "--json"))[0]
    assert (told["whole"]["cost"]["total_usd"], told["tree_size"]) == ("0.008073", 300)


def test_a_log_that_was_changed_makes_no_figures(cli: Cli, log: Log) -> None:
    path = log.folder / "tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b"0.000027", b"0.000028", 1))
    where = ("--log", str(log.folder), "--key", str(VERIFIER))
    failed = cli("performance", *DAY, *where, status=1)
    assert "NOT VERIFIED: the entries do not make the tree" in one_line(failed)
    assert failed.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--period", "summer"), "write 2026, 2026-Q3"),
        (("--since", "now"), "is no time"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "before it begins"),
    ],
)
def test_a_period_that_is_none(cli: Cli, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in one_line(cli("performance", *arguments, status=1))


def test_where_nothing_has_run_there_is_no_log(cli: Cli) -> None:
    assert "`farthing up` starts one" in one_line(cli("performance", status=1))


def test_without_its_packages_it_says_which_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("farthing.report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert "pip install 'farthing[report]'" in one_line(cli("performance", status=1))
