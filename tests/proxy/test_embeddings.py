"""Embeddings through the gateway: held by their input, refused where nobody has them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.application import ROW, application
from tests.support.loopback import Loopback, answering, http, run
from tests.wire.embed.golden import PACKED, REQUESTS, RESPONSES, TEXTS, TOKENS, VECTORS

from farthing.ledger.entry import Settle, Unresolved, Void
from farthing.prices.book import Book, Model, PriceBook, Row
from farthing.providers import Provider
from farthing.route.plan import Router
from farthing.wire.canon import Problem
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.embed.canon import Request
from farthing.wire.embed.codecs import CODECS

PATH = "/v1/embeddings"
INPUT = Row({"input": [(0, 10**9)]})
BODY = {"model": "m", "input": "four farthings make a penny"}
ANSWER = http(b'{"data":[],"usage":{"prompt_tokens":6,"total_tokens":6}}')


def test_embeddings_are_held_and_settled_by_their_input() -> None:
    async def scene() -> None:
        server = answering(ANSWER)
        async with server, application(server.provider(dialects={"embeddings": "/e"})) as it:
            reply = await it.ask("POST", PATH, BODY)
            assert (reply.status, reply.headers["farthing-cost-usd"]) == (200, "0.000006")
            assert "farthing-output-cap-tokens" not in reply.headers
            assert b"max_tokens" not in server.requests[0]
            (hold,) = it.ledger.holds
            assert hold.output_cap == 0
            assert hold.tokens == hold.input_tokens
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle) and ending.usage == Usage(input=6)

    run(scene())


def test_a_price_cap_that_the_input_does_not_fit_refuses_them() -> None:
    async def scene() -> None:
        server = answering(ANSWER)
        async with server, application(server.provider(dialects={"embeddings": "/e"})) as it:
            reply = await it.ask("POST", PATH, BODY, farthing_max_cost_usd="0.000001")
            assert (reply.status, reply.headers["farthing-error"]) == (402, "max_cost")
            assert not it.ledger.holds and not server.requests

    run(scene())


def test_a_provider_without_them_is_named_with_what_to_write() -> None:
    async def scene() -> None:
        server = answering(ANSWER)
        async with server, application(server.provider(dialects={"chat": "/c"})) as it:
            reply = await it.ask("POST", PATH, BODY)
            assert (reply.status, reply.headers["farthing-error"]) == (501, "unsupported_crossing")
            assert "[providers.loop] dialects" in reply.json["error"]["message"]

    run(scene())


def test_a_provider_of_nothing_else_is_not_asked_to_chat() -> None:
    async def scene() -> None:
        server = answering(ANSWER)
        async with server, application(server.provider(dialects={"embeddings": "/e"})) as it:
            asked = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
            reply = await it.ask("POST", "/v1/chat/completions", asked)
            assert reply.headers["farthing-error"] == "unsupported_crossing"

    run(scene())


# -- every client's dialect, every provider's -----------------------------------------------------

TITAN = "amazon.titan-embed-text-v2:0"
CLIENT_PATHS = {
    "embeddings": "/v1/embeddings",
    "gemini-batch-embeddings": "/v1beta/models/{model}:batchEmbedContents",
    "gemini-embeddings": "/v1/models/{model}:embedContent",
    "cohere-embeddings": "/v2/embed",
    "bedrock-embeddings": "/model/{model}/invoke",
}
PROVIDER_PATHS = {
    "gemini-batch-embeddings": "/models/{model}:batchEmbedContents",
    "gemini-embeddings": "/models/{model}:embedContent",
    "bedrock-embeddings": "/model/{model}/invoke",
}
PAIRS = [(here, there) for here in CODECS for there in CODECS]
NAMES = [f"{here}-to-{there}" for here, there in PAIRS]
KIND = b"content-type: application/json"


def asked(here: str, model: str, **changes: Any) -> dict[str, Any]:
    """Return a dialect's question, of one text."""
    question = CODECS[here].read_request(REQUESTS[here])
    question.inputs = question.inputs[:1]
    question.model = model if question.model else ""
    return {**CODECS[here].write_request(question, Crossing(here, here)), **changes}


def answered(there: str) -> bytes:
    """Return a provider's answer of one vector, in JSON."""
    answer = CODECS[there].read_response(RESPONSES[there])
    answer.vectors, answer.form = answer.vectors[:1], answer.form.partition(" ")[0]
    question = Request(dialect=there)
    return json.dumps(
        CODECS[there].write_response(answer, question, Crossing(there, there))
    ).encode()


def path(here: str, model: str) -> str:
    return CLIENT_PATHS[here].replace("{model}", quote(model, safe=""))


def speaking(server: Loopback, there: str, **said: Any) -> Provider:
    dialects = {there: PROVIDER_PATHS.get(there, "/x")}
    return server.provider(**{"dialects": dialects, **said})


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=NAMES)
def test_embeddings_come_from_any_provider_to_any_client(here: str, there: str) -> None:
    async def scene() -> None:
        model = TITAN if there == "bedrock-embeddings" else "m-embed"
        server = answering(http(answered(there), 200, KIND))
        async with server, application(speaking(server, there)) as it:
            reply = await it.ask("POST", path(here, model), asked(here, model))
            assert reply.status == 200, reply.body
            (vector,) = CODECS[here].read_response(reply.json).vectors
            assert vector.values["float"] == VECTORS[0]
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle) and ending.usage == Usage(input=TOKENS)
            assert reply.headers["farthing-cost-usd"] == "0.000007"
            sent = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
            (text,) = CODECS[there].read_request(sent).inputs
            assert text.text == TEXTS[0]
            if here == there:
                assert reply.body == answered(there)
                assert sent == asked(here, model)
                assert "farthing-losses" not in reply.headers

    run(scene())


@pytest.mark.parametrize("there", CODECS)
@pytest.mark.parametrize("here", CODECS)
def test_a_provider_s_error_is_told_in_the_client_s_dialect(here: str, there: str) -> None:
    async def scene() -> None:
        model = TITAN if there == "bedrock-embeddings" else "m-embed"
        problem = CODECS[there].write_problem(
            Problem(dialect="none", status=429, message="slow down"), Crossing("none", there)
        )
        server = answering(http(json.dumps(problem).encode(), 429, KIND))
        async with server, application(speaking(server, there)) as it:
            reply = await it.ask("POST", path(here, model), asked(here, model))
            assert reply.status == 429
            assert "slow down" in CODECS[here].read_problem(429, reply.json).message
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle) and ending.usd == 0

    run(scene())


def test_floats_become_the_base64_that_a_client_asks_for() -> None:
    async def scene() -> None:
        server = answering(http(answered("cohere-embeddings"), 200, KIND))
        async with server, application(speaking(server, "cohere-embeddings")) as it:
            body = {"model": "m-embed", "input": TEXTS[0], "encoding_format": "base64"}
            reply = await it.ask("POST", "/v1/embeddings", body)
            assert reply.json["data"][0]["embedding"] == PACKED[0]
            assert b'"embedding_types":["float"]' in server.requests[0]
            assert "shape task (taken for search_document)" in reply.headers["farthing-losses"]

    run(scene())


def test_a_strict_client_is_refused_what_only_nearly_fits() -> None:
    async def scene() -> None:
        server = answering()
        async with server, application(speaking(server, "cohere-embeddings")) as it:
            body = {"model": "m-embed", "input": TEXTS[0]}
            reply = await it.ask("POST", "/v1/embeddings", body, farthing_strict="true")
            assert (reply.status, reply.headers["farthing-error"]) == (400, "lossy_crossing")
            assert not it.ledger.holds and not server.requests

    run(scene())


REFUSED = [
    ("embeddings", "cohere-embeddings", {"input": [1, 2]}, "input as tokens"),
    ("embeddings", "bedrock-embeddings", {"input": TEXTS}, "more than one input"),
    ("embeddings", "gemini-embeddings", {"input": TEXTS}, "more than one input"),
    ("cohere-embeddings", "embeddings", {"embedding_types": ["int8"]}, "embeddings as int8"),
    ("cohere-embeddings", "embeddings", {"images": ["data:"]}, "images"),
    ("bedrock-embeddings", "embeddings", {"inputImage": "…"}, "inputImage"),
]


@pytest.mark.parametrize(("here", "there", "changes", "what"), REFUSED)
def test_what_would_be_another_question_is_refused_by_name(
    here: str, there: str, changes: dict[str, Any], what: str
) -> None:
    async def scene() -> None:
        server = answering()
        async with server, application(speaking(server, there)) as it:
            model = TITAN if "bedrock" in there else "m-embed"
            reply = await it.ask("POST", path(here, model), asked(here, model, **changes))
            assert (reply.status, reply.headers["farthing-error"]) == (400, "lossy_crossing")
            assert what in str(reply.json)
            assert not it.ledger.holds and not server.requests

    run(scene())


MEDIA = [
    ("embeddings", {"input": [{"image": "…"}]}),
    ("cohere-embeddings", {"texts": [], "images": ["data:image/png;base64,AAAA"]}),
    ("cohere-embeddings", {"inputs": [{"content": [{"type": "image_url"}]}]}),
    ("gemini-embeddings", {"content": {"parts": [{"inlineData": {"data": "AAAA"}}]}}),
    ("bedrock-embeddings", {"inputImage": "AAAA"}),
]


@pytest.mark.parametrize(("name", "changes"), MEDIA)
def test_images_have_no_bound_and_are_not_sent(name: str, changes: dict[str, Any]) -> None:
    async def scene() -> None:
        server = answering()
        async with server, application(speaking(server, name)) as it:
            reply = await it.ask("POST", path(name, "m-embed"), asked(name, "m-embed", **changes))
            assert (reply.status, reply.headers["farthing-error"]) == (400, "unbounded")
            assert not it.ledger.holds and not server.requests

    run(scene())


def test_a_model_of_a_form_of_its_own_is_not_guessed_at() -> None:
    async def scene() -> None:
        server = answering()
        async with server, application(speaking(server, "bedrock-embeddings")) as it:
            body = {"model": "amazon.nova-embed", "input": "x"}
            reply = await it.ask("POST", "/v1/embeddings", body)
            assert (reply.status, reply.headers["farthing-error"]) == (501, "unsupported_crossing")

    run(scene())


# -- usage that stands beside the answer ----------------------------------------------------------

BARE = b'{"embeddings":[{"values":[0.5,-0.25]}]}'
BATCH = "gemini-batch-embeddings"
COUNTS = {BATCH: "/models/{model}:countTokens"}


def test_a_usage_that_is_not_told_is_counted_beforehand() -> None:
    async def scene() -> None:
        server = answering(http(b'{"totalTokens":5}', 200, KIND), http(BARE, 200, KIND))
        async with server, application(speaking(server, BATCH, counts=COUNTS)) as it:
            body = {"model": "m-embed", "input": TEXTS}
            reply = await it.ask("POST", "/v1/embeddings", {**body, "input": TEXTS[:1]})
            assert reply.json["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
            counted, embedded = server.requests
            assert counted.startswith(b"POST /v1/models/m-embed:countTokens ")
            told = json.loads(counted.partition(b"\r\n\r\n")[2])
            assert told == {"contents": [{"parts": [{"text": TEXTS[0]}]}]}
            assert embedded.startswith(b"POST /v1/models/m-embed:batchEmbedContents ")
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle) and ending.usage == Usage(input=5)

    run(scene())


@pytest.mark.parametrize("count", [b"{}", b'{"error":{"code":404}}', b'{"totalTokens":-1}'])
def test_a_usage_that_cannot_be_counted_stays_unknown_and_held(count: bytes) -> None:
    async def scene() -> None:
        server = answering(http(count, 200, KIND), http(BARE, 200, KIND))
        async with server, application(speaking(server, BATCH, counts=COUNTS)) as it:
            body = {"model": "m-embed", "input": TEXTS[:1]}
            reply = await it.ask("POST", "/v1/embeddings", body)
            assert reply.status == 200 and "usage" not in reply.json
            assert "farthing-cost-usd" not in reply.headers
            (ending,) = it.ledger.endings
            assert isinstance(ending, Unresolved) and ending.reason == "usage_missing"

    run(scene())


def test_a_count_does_not_make_an_answer_of_something_else() -> None:
    async def scene() -> None:
        server = answering(http(b'{"totalTokens":5}', 200, KIND), http(b"{}", 200, KIND))
        async with server, application(speaking(server, BATCH, counts=COUNTS)) as it:
            await it.ask("POST", path(BATCH, "m-embed"), asked(BATCH, "m-embed"))
            (ending,) = it.ledger.endings
            assert isinstance(ending, Unresolved)

    run(scene())


def test_nothing_is_sent_when_the_provider_cannot_be_asked_to_count() -> None:
    async def scene() -> None:
        server = answering(b"HTTP/1.1 200 OK\r\n", then_close=True)
        async with server, application(speaking(server, BATCH, counts=COUNTS)) as it:
            reply = await it.ask("POST", "/v1/embeddings", {"model": "m-embed", "input": "x"})
            assert reply.status == 502
            assert "did not count" in reply.json["error"]["message"]
            assert len(server.requests) == 1
            (ending,) = it.ledger.endings
            assert isinstance(ending, Void)

    run(scene())


COHERE_ON_BEDROCK = "us.cohere.embed-english-m-v3"


@pytest.mark.parametrize("here", ["bedrock-embeddings", "embeddings"])
def test_a_header_tells_the_usage_that_a_body_does_not(here: str) -> None:
    async def scene() -> None:
        told = b'{"embeddings":[[0.5,-0.25]],"id":"i","response_type":"embeddings_floats"}'
        header = b"X-Amzn-Bedrock-Input-Token-Count: 9"
        server = answering(http(told, 200, KIND, header))
        async with server, application(speaking(server, "bedrock-embeddings")) as it:
            body: dict[str, Any] = {"model": COHERE_ON_BEDROCK, "input": "x"}
            if here == "bedrock-embeddings":
                body = {"texts": ["x"], "input_type": "search_query"}
            reply = await it.ask("POST", path(here, COHERE_ON_BEDROCK), body)
            assert reply.status == 200, reply.body
            sent = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
            assert sent["texts"] == ["x"] and "embedding_types" not in sent
            (ending,) = it.ledger.endings
            assert isinstance(ending, Settle) and ending.usage == Usage(input=9)

    run(scene())


def test_a_client_of_such_a_header_gets_it_from_any_provider() -> None:
    async def scene() -> None:
        server = answering(http(answered("embeddings"), 200, KIND))
        async with server, application(speaking(server, "embeddings")) as it:
            body = {"texts": ["x"], "input_type": "search_query"}
            reply = await it.ask("POST", "/model/m-embed/invoke", body)
            assert reply.json["embeddings"] == [VECTORS[0]]
            assert reply.headers["x-amzn-bedrock-input-token-count"] == str(TOKENS)
            assert reply.headers["farthing-losses"] == "shape task"

    run(scene())


# -- what the client's name of a model becomes ----------------------------------------------------


@pytest.mark.parametrize("here", CODECS)
def test_an_alias_is_sent_as_the_provider_s_name(here: str) -> None:
    async def scene() -> None:
        server = answering(http(answered(here), 200, KIND))
        aliases = {"own-embed": "loop/m-embed"}
        async with server, application(speaking(server, here), aliases=aliases) as it:
            reply = await it.ask("POST", path(here, "own-embed"), asked(here, "own-embed"))
            assert reply.status == 200, reply.body
            assert b"m-embed" in server.requests[0] and b"own-embed" not in server.requests[0]
            assert reply.body == answered(here)

    run(scene())


def test_the_list_of_models_has_those_that_embed_where_they_can_be_asked() -> None:
    book = Book("a test", {"loop": [Model("m", [ROW]), Model("m-embed", [INPUT])]})

    async def scene() -> None:
        server = answering()
        for dialects, listed in (
            ({"chat": "/c"}, ["loop/m"]),
            ({"chat": "/c", "cohere-embeddings": "/e"}, ["loop/m", "loop/m-embed"]),
        ):
            provider = server.provider(dialects=dialects)
            async with application(provider) as it:
                it.app.router = Router({"loop": provider}, PriceBook(book.encoded()), {})
                reply = await it.ask("GET", "/v1/models")
                assert [row["id"] for row in reply.json["data"]] == listed

    run(scene())
