"""One question through the gateway."""

from __future__ import annotations

from tests.cli.conftest import Cli, values
from tests.support.gateway import RunningGateway


def arguments(gateway: RunningGateway, *more: str) -> tuple[str, ...]:
    return ("ask", "hello", "--url", gateway.address, "--key", gateway.key(), *more)


def test_the_answer_then_its_cost(cli: Cli, shared_gateway: RunningGateway) -> None:
    printed = cli(*arguments(shared_gateway, "-m", "echo")).stdout
    assert "w0 w1 w2 w3 w4" in printed
    assert "fake/echo  $0.000027  20+0 in, 7 out tokens" in printed


def test_as_json(cli: Cli, shared_gateway: RunningGateway) -> None:
    told = values(cli(*arguments(shared_gateway, "-m", "in-bytes", "--json")))[0]
    assert told["answer"] == "w0 w1 w2 w3 w4 "
    assert told["query"]["cost_usd"] == "0.000027"


def test_an_unknown_cost_is_said_as_its_maximum(cli: Cli, shared_gateway: RunningGateway) -> None:
    printed = cli(*arguments(shared_gateway, "-m", "no-usage", "--max-tokens", "9")).stdout
    assert "at most $" in printed


def test_a_refusal_is_a_sentence(cli: Cli, shared_gateway: RunningGateway) -> None:
    refused = cli(*arguments(shared_gateway, "-m", "echo", "--max-cost", "0.000001"), status=1)
    assert "more than its cap of $0.000001" in " ".join(refused.stderr.split())


def test_without_a_gateway_it_says_what_to_do(cli: Cli) -> None:
    assert "start one with `farthing up`" in " ".join(cli("ask", "hello", status=1).stderr.split())


def test_a_gateway_that_is_gone_is_an_error(cli: Cli) -> None:
    result = cli("ask", "hello", "--url", "http://127.0.0.1:1", "--key", "k", status=1)
    assert "cannot be reached" in " ".join(result.stderr.split())
