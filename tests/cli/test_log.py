"""The log of queries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Cli, values
from tests.support.gateway import RunningGateway


def test_without_a_ledger_it_says_what_to_do(cli: Cli) -> None:
    assert "`farthing up` starts one" in " ".join(cli("log", status=1).stderr.split())


def test_the_latest_queries_come_last(cli: Cli, shared_gateway: RunningGateway) -> None:
    data, key = ("--data", str(shared_gateway.data.root)), shared_gateway.key()
    queries = [shared_gateway.chat(key).query for _ in range(3)]
    rows = values(cli("log", "-n", "2", "--json", *data))
    assert [row["id"] for row in rows] == queries[1:]
    printed = cli("log", "-n", "3", *data).stdout
    assert all(query in printed for query in queries)
    assert "3 queries, $0.000081 in all" in printed


def test_only_one_keys_queries(cli: Cli, shared_gateway: RunningGateway) -> None:
    data = ("--data", str(shared_gateway.data.root))
    key, other = shared_gateway.key(), shared_gateway.key()
    mine = shared_gateway.chat(key).query
    shared_gateway.chat(other)
    rows = values(cli("log", "--json", "--key", key.split("_")[1], *data))
    assert [row["id"] for row in rows] == [mine]


def test_what_is_unresolved_shows_its_maximum(cli: Cli, shared_gateway: RunningGateway) -> None:
    key = shared_gateway.key()
    answer = shared_gateway.chat(key, "no-usage", max_tokens=9)
    held = shared_gateway.record(answer.query, key)["held_usd"]
    printed = cli("log", "-n", "1", "--data", str(shared_gateway.data.root)).stdout
    assert f"≤ {held}" in printed
    assert "unresolved (usage_missing)" in printed


def test_following_prints_a_query_when_it_ends(
    tmp_path: Path, shared_gateway: RunningGateway
) -> None:
    key = shared_gateway.key()
    following = subprocess.Popen(
        [sys.executable, "-m", "farthing", "log", "-f", "-n", "1", "--json",
         "--data", str(shared_gateway.data.root)],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert following.stdout is not None
        shared_gateway.chat(key)
        following.stdout.readline()  # the latest so far: now it follows
        query = shared_gateway.chat(key).query
        assert any(query in following.stdout.readline() for _ in range(2))
    finally:
        following.terminate()
        following.communicate(timeout=10)
