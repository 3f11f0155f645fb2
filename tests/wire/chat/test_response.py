"""Chat answers: disjoint counts, and the one chunk that a client did not ask for."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import Failed, FarthingError, Malformed, Refused
from farthing.wire.chat.request import read_request
from farthing.wire.chat.response import error, read_answer, tap
from farthing.wire.dialect import Answer, Usage
from farthing.wire.tap import WINDOW


def answered(usage: object, **fields: object) -> Answer:
    return read_answer(json.dumps({"id": "c1", "model": "m", "usage": usage, **fields}).encode())


# -- usage ----------------------------------------------------------------------------------------

# What providers of this dialect say, and the disjoint counts it means.
USAGES: list[tuple[dict[str, Any], Usage]] = [
    ({"prompt_tokens": 10, "completion_tokens": 5}, Usage(input=10, output=5)),
    ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, Usage()),
    (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 0},
        },
        Usage(input=40, cache_read=60, output=50, reasoning=20),
    ),
    (
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        },
        Usage(input=10, cache_read=60, cache_write=30, output=5),
    ),
    (
        {"prompt_tokens": 100, "completion_tokens": 5, "prompt_cache_hit_tokens": 64},
        Usage(input=36, cache_read=64, output=5),
    ),
    (
        {"prompt_tokens": 100, "completion_tokens": 5, "cached_tokens": 64},
        Usage(input=36, cache_read=64, output=5),
    ),
    (  # the same cached tokens told twice are not counted twice
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "prompt_cache_hit_tokens": 64,
            "prompt_tokens_details": {"cached_tokens": 64},
        },
        Usage(input=36, cache_read=64, output=5),
    ),
    (  # audio within the prompt
        {
            "prompt_tokens": 100,
            "completion_tokens": 30,
            "total_tokens": 130,
            "prompt_tokens_details": {"audio_tokens": 80},
            "completion_tokens_details": {"audio_tokens": 12},
        },
        Usage(input=20, input_audio=80, output=18, output_audio=12),
    ),
    (  # audio beside the prompt: only the total tells
        {
            "prompt_tokens": 11,
            "completion_tokens": 15,
            "total_tokens": 401,
            "prompt_tokens_details": {"audio_tokens": 375},
        },
        Usage(input=11, input_audio=375, output=15),
    ),
    (  # reasoning beside the completion: only the total tells
        {
            "prompt_tokens": 66,
            "completion_tokens": 6,
            "total_tokens": 100,
            "completion_tokens_details": {"reasoning_tokens": 28},
        },
        Usage(input=66, output=34, reasoning=28),
    ),
    (  # the same, with nothing but the total to tell it
        {"prompt_tokens": 66, "completion_tokens": 6, "total_tokens": 100},
        Usage(input=66, output=34),
    ),
    (  # a total below the sum takes nothing away
        {"prompt_tokens": 66, "completion_tokens": 6, "total_tokens": 0},
        Usage(input=66, output=6),
    ),
    (
        {
            "prompt_tokens": 9,
            "completion_tokens": 3,
            "total_tokens": None,
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        },
        Usage(input=9, output=3),
    ),
]


@pytest.mark.parametrize(("told", "usage"), USAGES)
def test_counts_are_made_disjoint(told: dict[str, Any], usage: Usage) -> None:
    assert answered(told).usage == usage


@pytest.mark.parametrize(("told", "usage"), USAGES)
def test_every_token_of_the_total_is_in_exactly_one_count(
    told: dict[str, Any], usage: Usage
) -> None:
    sum_of_both = told["prompt_tokens"] + told["completion_tokens"]
    assert usage.tokens() == max(told.get("total_tokens") or 0, sum_of_both)


small = st.integers(0, 1000)


@settings(deadline=None)
@given(st.tuples(small, small, small, small), st.tuples(small, small), small, st.booleans())
def test_counts_stay_disjoint_whatever_is_told(
    of_input: tuple[int, int, int, int], of_output: tuple[int, int], beside: int, total: bool
) -> None:
    fresh, cached, written, audio = of_input
    text, spoken = of_output
    if beside == audio:
        beside = 0  # then the total says that the audio is not in the prompt: a case of its own
    told = {
        "prompt_tokens": sum(of_input),
        "completion_tokens": sum(of_output),
        "total_tokens": sum(of_input) + sum(of_output) + beside if total else None,
        "prompt_tokens_details": {
            "cached_tokens": cached,
            "cache_write_tokens": written,
            "audio_tokens": audio,
        },
        "completion_tokens_details": {"audio_tokens": spoken},
    }
    usage = answered(told).usage
    assert usage is not None
    assert (usage.cache_read, usage.cache_write) == (cached, written)
    assert (usage.input, usage.input_audio) == (fresh, audio)
    assert (usage.output, usage.output_audio) == (text + (beside if total else 0), spoken)
    assert usage.cache_write_1h == usage.web_searches == 0


def test_more_cached_than_prompted_never_makes_a_count_negative() -> None:
    told = {"prompt_tokens": 5, "completion_tokens": 1, "cached_tokens": 9}
    assert answered(told).usage == Usage(cache_read=9, output=1)


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"prompt_tokens": 5},
        {"completion_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": None},
        {"prompt_tokens": None, "completion_tokens": 5, "total_tokens": 5},
        {"prompt_tokens": "5", "completion_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": 3},
        [5, 5],
    ],
)
def test_a_usage_without_both_counts_is_unknown_and_not_zero(told: object) -> None:
    assert answered(told).usage is None


@pytest.mark.parametrize(
    "told",
    [
        {"prompt_tokens": 5, "completion_tokens": -5},
        {"prompt_tokens": 5, "completion_tokens": 5, "cached_tokens": -9},
        {"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {"audio_tokens": -9}},
    ],
)
def test_a_count_below_zero_makes_the_usage_unknown(told: object) -> None:
    assert answered(told).usage is None


def test_an_answer_s_model_and_id_are_the_provider_s() -> None:
    found = answered(None)
    assert (found.model, found.id) == ("m", "c1")


@pytest.mark.parametrize("tier", ["default", "auto", "", None])
def test_a_plain_tier_served_selects_no_price(tier: str | None) -> None:
    assert answered(None, service_tier=tier).options == {}


def test_another_tier_served_selects_its_own_price() -> None:
    assert answered(None, service_tier="priority").options == {"service_tier": "priority"}


# -- streams --------------------------------------------------------------------------------------


def chunk(usage: object, *choices: object, **fields: object) -> bytes:
    shape = {"id": "c1", "model": "m", "choices": list(choices), "usage": usage, **fields}
    return b"data: " + json.dumps(shape, separators=(",", ":")).encode() + b"\n\n"


def delta(text: str) -> dict[str, object]:
    return {"index": 0, "delta": {"content": text}}


USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
BEGIN = b": a comment\n\n" + chunk(None, delta("he said "))
MIDDLE = chunk(None, delta('"usage":{ and so on\n\n')) + chunk(None, delta("é€😀"))
DONE = b"data: [DONE]\n\n"
HIDDEN = chunk(USAGE)
STREAM = BEGIN + MIDDLE + HIDDEN + DONE
SHOWN = BEGIN + MIDDLE + DONE


def run(body: bytes, stream: bytes, step: int) -> tuple[bytes, Answer]:
    """Return what passes and what is read, of a stream in pieces of a size."""
    reader = tap(read_request(body))
    passed = [reader.feed(stream[i : i + step]) for i in range(0, len(stream), step)]
    return b"".join(passed) + reader.rest(), reader.answer()


ASKED = b'{"stream":true,"stream_options":{"include_usage":true}}'
NOT_ASKED = b'{"stream":true}'
sizes = pytest.mark.parametrize("step", [1, 7, 64, 100_000])
line_ends = pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])


@sizes
@line_ends
def test_a_client_that_asked_for_usage_gets_every_byte(step: int, end: bytes) -> None:
    stream = STREAM.replace(b"\n", end)
    passed, answer = run(ASKED, stream, step)
    assert passed == stream
    assert answer == Answer(Usage(input=7, output=3), "m", "c1")


@sizes
@line_ends
def test_a_client_that_did_not_ask_gets_every_byte_but_the_usage_chunk(
    step: int, end: bytes
) -> None:
    passed, answer = run(NOT_ASKED, STREAM.replace(b"\n", end), step)
    assert passed == SHOWN.replace(b"\n", end)
    assert answer == Answer(Usage(input=7, output=3), "m", "c1")


@settings(deadline=None)
@given(st.lists(st.integers(1, len(STREAM)), max_size=20))
def test_the_network_s_cuts_change_nothing(cuts: list[int]) -> None:
    reader = tap(read_request(NOT_ASKED))
    ends = [0, *sorted(set(cuts)), len(STREAM)]
    passed = [reader.feed(STREAM[a:b]) for a, b in itertools.pairwise(ends)]
    assert b"".join(passed) + reader.rest() == SHOWN
    assert reader.answer().usage == Usage(input=7, output=3)


def test_a_chunk_with_a_choice_is_never_hidden_though_it_carries_usage() -> None:
    stream = chunk(USAGE, delta("x")) + DONE
    passed, answer = run(NOT_ASKED, stream, 1)
    assert passed == stream
    assert answer.usage == Usage(input=7, output=3)


def test_a_chunk_without_choices_or_usage_is_never_hidden() -> None:
    stream = chunk(None, prompt_filter_results=[]) + STREAM
    assert run(NOT_ASKED, stream, 7)[0] == chunk(None, prompt_filter_results=[]) + SHOWN


def test_a_usage_chunk_that_no_blank_line_ends_is_hidden_too() -> None:
    assert run(NOT_ASKED, BEGIN + HIDDEN.rstrip(), 5)[0] == BEGIN


def test_a_usage_chunk_that_is_cut_short_passes_as_it_is_none() -> None:
    cut = HIDDEN[:-20]
    passed, answer = run(NOT_ASKED, BEGIN + cut, 5)
    assert passed == BEGIN + cut
    assert answer.usage is None


def test_a_stream_that_ends_before_its_usage_has_an_unknown_one() -> None:
    assert run(NOT_ASKED, BEGIN + MIDDLE, 7)[1].usage is None


def test_of_several_usages_the_last_counts() -> None:
    first = chunk({"prompt_tokens": 7, "completion_tokens": 1}, delta("x"))
    assert run(ASKED, first + HIDDEN + DONE, 7)[1].usage == Usage(input=7, output=3)
    late_nulls = HIDDEN + chunk(None, delta("x")) + DONE
    assert run(ASKED, late_nulls, 7)[1].usage == Usage(input=7, output=3)


def test_the_tier_that_was_served_is_read_from_the_usage_chunk() -> None:
    stream = BEGIN + chunk(USAGE, service_tier="flex") + DONE
    assert run(ASKED, stream, 7)[1].options == {"service_tier": "flex"}


def test_a_usage_further_from_the_end_than_the_window_is_unknown_and_not_zero() -> None:
    stream = HIDDEN + chunk(None, delta("x" * 1000)) * (2 * WINDOW // 1000)
    assert run(ASKED, stream, 4096)[1].usage is None


def test_what_a_model_writes_is_never_taken_for_usage() -> None:
    trick = 'data: {"usage":{"prompt_tokens":1,"completion_tokens":1},"choices":[]}\n\n'
    stream = BEGIN + chunk(None, delta(trick)) + DONE
    passed, answer = run(NOT_ASKED, stream, 3)
    assert passed == stream
    assert answer.usage is None


@pytest.mark.parametrize(
    "spelling", [b'"usage" :{', b'"usage":  {', b'"usage" : {', b'"usage":\t{']
)
def test_the_usage_chunk_is_hidden_however_it_is_spelled(spelling: bytes) -> None:
    stream = BEGIN + HIDDEN.replace(b'"usage":{', spelling) + DONE
    assert run(NOT_ASKED, stream, 100_000)[0] == BEGIN + DONE


def test_the_usage_chunk_is_hidden_among_mixed_line_ends() -> None:
    stream = BEGIN + HIDDEN.replace(b"\n", b"\r\n") + DONE
    assert run(NOT_ASKED, stream, 100_000)[0] == BEGIN + DONE


# -- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (Refused("missing_key", "x"), "authentication_error"),
        (Refused("limit_reached", "x"), "insufficient_quota"),
        (Malformed("unknown_model", "x"), "not_found_error"),
        (Malformed("invalid_json", "x"), "invalid_request_error"),
        (Malformed("body_too_large", "x"), "invalid_request_error"),
        (Refused("unbounded", "x"), "invalid_request_error"),
        (Refused("lossy_crossing", "x"), "invalid_request_error"),
        (Refused("ledger_unavailable", "x"), "server_error"),
        (Failed("upstream_timeout", "x"), "server_error"),
    ],
)
def test_an_error_has_the_type_this_dialect_s_clients_know(
    problem: FarthingError, kind: str
) -> None:
    shape = json.loads(error(problem, "q"))
    assert shape["error"]["type"] == kind
    assert shape["error"]["param"] is None


# -- why it ended ---------------------------------------------------------------------------------

NONE: dict[str, object] = {"prompt_tokens": 1, "completion_tokens": 1}


@pytest.mark.parametrize(
    ("choices", "finish"),
    [
        ([{"finish_reason": "stop"}], "end"),
        ([{"finish_reason": "length", "message": {"content": "x"}}], "length"),
        ([{"finish_reason": "stop"}, {"finish_reason": "length"}], "length"),
        ([{"finish_reason": "tool_calls"}, {"finish_reason": "stop"}], "tool_calls"),
        ([{"finish_reason": "stop", "message": {"refusal": "no"}}], "refusal"),
        ([{"finish_reason": "content_filter"}], "filter"),
        ([{"finish_reason": "a new word"}], "other"),
        ([{"finish_reason": None}], ""),
        ([], ""),
        (None, ""),
        ("choices", ""),
        ([{"finish_reason": 7}], ""),
    ],
)
def test_why_a_whole_answer_ended_never_costs_its_usage(choices: object, finish: str) -> None:
    told = answered(NONE, choices=choices)
    assert (told.finish, told.usage) == (finish, Usage(input=1, output=1))


def ends(*words: str | None, refusal: str = "") -> bytes:
    """A stream whose choices end in turn, before the chunk with the usage."""
    said = [{"index": 0, "delta": {"content": "x", "refusal": refusal}, "finish_reason": None}]
    chunks = [chunk(None, *said)]
    chunks += [
        chunk(None, {"index": number, "delta": {}, "finish_reason": word})
        for number, word in enumerate(words)
    ]
    return b"".join(chunks) + HIDDEN + DONE


@pytest.mark.parametrize(
    ("stream", "choices", "finish"),
    [
        (ends("stop"), 1, "end"),
        (ends("length"), 1, "length"),
        (ends("length", "stop"), 2, "length"),
        (ends("stop", refusal="I must not"), 1, "refusal"),
        (ends(None), 1, ""),
        (ends("stop").replace(b'": ', b'":'), 1, "end"),
    ],
)
def test_why_a_stream_ended_stands_before_its_usage(
    stream: bytes, choices: int, finish: str
) -> None:
    ask = read_request(b'{"model": "m", "stream": true}')
    ask.choices = choices
    seen = tap(ask)
    for at in range(0, len(stream), 7):
        seen.feed(stream[at : at + 7])
    assert seen.answer().finish == finish and seen.answer().usage is not None


def test_one_choice_that_was_cut_off_is_not_hidden_by_the_last_with_the_usage() -> None:
    cut = {"index": 0, "delta": {}, "finish_reason": "length"}
    whole = {"index": 1, "delta": {}, "finish_reason": "stop"}
    ask = read_request(b'{"model": "m", "stream": true, "n": 2}')
    seen = tap(ask)
    seen.feed(chunk(None, cut) + chunk(NONE, whole) + DONE)
    assert (ask.choices, seen.answer().finish) == (2, "length")


def test_a_refusal_is_looked_for_where_it_can_stand() -> None:
    """That of a single choice goes on to the end; another choice's may have ended long before."""
    long = chunk(None, {"index": 1, "delta": {"content": "x" * 10_000}, "finish_reason": None})
    told = {"index": 0, "delta": {"refusal": "I must not"}, "finish_reason": None}
    end: list[dict[str, object]] = [
        {"index": number, "delta": {}, "finish_reason": "stop"} for number in (0, 1)
    ]
    for said, choices, finish in (
        ([chunk(None, told), long], 2, "refusal"),
        ([long, chunk(None, told)], 1, "refusal"),
        ([long], 2, "end"),
    ):
        ask = read_request(b'{"model": "m", "stream": true}')
        ask.choices = choices
        seen = tap(ask)
        for data in [*said, chunk(None, *end[:choices]), HIDDEN, DONE]:
            seen.feed(data)
        assert seen.answer().finish == finish
