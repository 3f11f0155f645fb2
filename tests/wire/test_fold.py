"""A stream is a response in slices: gathering and slicing undo each other."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import Malformed
from farthing.wire.canon import (
    Answer,
    Citation,
    Media,
    Opaque,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Response,
    Signature,
    Stop,
    Tally,
    Text,
    TokenLogprob,
    ToolCall,
)
from farthing.wire.dialect import Usage
from farthing.wire.events import Begin, Count, Event, Fault, Finish, More, Open, Shut
from farthing.wire.fold import Folder, fold, unfold

SEAL = Signature(value="s", vendor="messages")
texts = st.text(max_size=5)
seals = st.none() | st.just(SEAL)
citations = st.builds(Citation, url=texts, title=texts)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, text=texts, citations=st.lists(citations, max_size=2), signature=seals),
    st.builds(Reasoning, text=texts, encrypted=texts, id=texts, signature=seals),
    st.builds(ToolCall, id=texts, name=texts, arguments=texts, signature=seals),
    st.builds(Refusal, text=texts),
    st.builds(Media, kind=st.just("image"), data=texts),
    st.builds(Opaque, type=texts, rest=st.dictionaries(texts, st.integers(), max_size=2)),
)
tokens = st.builds(TokenLogprob, token=texts, logprob=st.floats(-9, 0))
answers = st.builds(
    Answer,
    parts=st.lists(parts, min_size=1, max_size=3),
    stop=st.builds(Stop, kind=st.just("end"), told=texts),
    logprobs=st.lists(tokens, max_size=2),
)
responses = st.builds(
    Response,
    dialect=st.just("chat"),
    id=texts,
    model=texts,
    created=st.none() | st.integers(0),
    answers=st.lists(answers, max_size=2),
    tally=st.none() | st.builds(Tally, usage=st.just(Usage(input=3, output=4))),
)


@given(responses)
def test_slicing_and_gathering_give_the_response(response: Response) -> None:
    before = copy.deepcopy(response)
    assert fold(unfold(response)) == before
    assert response == before, "nothing that was given was changed"


@given(responses)
def test_every_part_is_opened_and_shut_once_and_in_order(response: Response) -> None:
    events = list(unfold(response))
    opened = [(e.answer, e.part) for e in events if isinstance(e, Open)]
    assert opened == [(e.answer, e.part) for e in events if isinstance(e, Shut)]
    assert opened == [(a, p) for a, x in enumerate(response.answers) for p in range(len(x.parts))]


@given(responses)
def test_events_are_not_changed_by_gathering(response: Response) -> None:
    events = list(unfold(response))
    before = copy.deepcopy(events)
    fold(events)
    assert events == before


def test_pieces_are_put_together_in_the_order_they_came() -> None:
    call = ToolCall(id="c", name="f", arguments="{")
    events: list[Event] = [
        Begin(dialect="chat", id="x"),
        Open(answer=0, part=0, content=Text(text="a")),
        Open(answer=0, part=1, content=call),
        More(answer=0, part=0, text="b"),
        More(answer=0, part=1, text="}"),
        More(answer=0, part=0, text="c"),
        Finish(answer=0, stop=Stop(kind="tool_calls")),
    ]
    found = fold(events)
    assert found.answers[0].parts == [
        Text(text="abc"),
        ToolCall(id="c", name="f", arguments="{}"),
    ]


def test_what_a_part_s_end_repeats_counts() -> None:
    events: list[Event] = [
        Open(answer=0, part=0, content=Opaque(type="search")),
        Shut(answer=0, part=0, content=Opaque(type="search", rest={"found": 3})),
    ]
    assert fold(events).answers[0].parts == [Opaque(type="search", rest={"found": 3})]


def test_later_counts_replace_earlier_ones() -> None:
    first, last = Tally(usage=Usage(input=1)), Tally(usage=Usage(input=1, output=2))
    begun = Begin(dialect="messages", tally=first)
    assert fold([begun]).tally == first
    assert fold([begun, Count(tally=last)]).tally == last


def test_a_stream_that_breaks_off_says_why() -> None:
    folder = Folder()
    problem = Problem(dialect="chat", status=500, message="m")
    folder.take(Fault(problem=problem))
    assert folder.problem == problem


@pytest.mark.parametrize(
    "event",
    [
        Open(answer=0, part=1, content=Text(text="")),
        Open(answer=10**9, part=0, content=Text(text="")),
        Open(answer=-1, part=0, content=Text(text="")),
        More(answer=0, part=0, text="x"),
        More(answer=0, part=-1, text="x"),
        Shut(answer=0, part=0),
        Finish(answer=10**9, stop=Stop(kind="end")),
    ],
)
def test_events_that_do_not_fit_are_malformed(event: Event) -> None:
    with pytest.raises(Malformed):
        fold([event])
