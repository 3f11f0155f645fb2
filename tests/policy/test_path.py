"""Paths: which scopes a query is counted in, and in which order."""

from __future__ import annotations

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import Malformed
from farthing.ledger.entry import Hold, Key, decode, encode
from farthing.ledger.registry import NAME_MOST, KeyState, short
from farthing.policy.path import TAGS_MOST, path, read_tags, told_user

KEY = KeyState(Key(1, "ada", "k", "an app", b""), None, ("key:k", "project:p", "org:o"))
SERVED = ("route:fast", "model:acme/m", "provider:acme")


def fields(body: object) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(json.dumps(body), type=dict[str, msgspec.Raw])


def digest(name: str) -> str:
    return "sha256-" + hashlib.sha256(name.encode()).hexdigest()[:32]


# -- the path ---------------------------------------------------------------------------------


def test_a_path_is_who_asks_then_what_serves_it_then_its_tags() -> None:
    assert path(KEY, "u", ("b", "a"), SERVED) == (
        "key:k",
        "project:p",
        "org:o",
        "user:u",
        "route:fast",
        "model:acme/m",
        "provider:acme",
        "tag:b",
        "tag:a",
    )


def test_what_a_query_does_not_say_is_not_in_its_path() -> None:
    assert path(KEY, "", (), ()) == KEY.lineage
    assert path(KEY, "", (), SERVED) == KEY.lineage + SERVED


def test_a_tag_twice_is_one_scope() -> None:
    assert path(KEY, "", ("b", "a", "b"), ()) == (*KEY.lineage, "tag:b", "tag:a")


def test_nobody_can_name_all_users_or_all_tags() -> None:
    """ "user:*" and "tag:*" are limits of each of them."""
    star = digest("*")
    assert path(KEY, "*", ("*",), ()) == (*KEY.lineage, f"user:{star}", f"tag:{star}")


@given(
    user=st.text(max_size=300),
    tags=st.lists(st.sampled_from(["a", "*", digest("*"), "b"]), max_size=8),
)
def test_no_scope_is_in_a_path_twice(user: str, tags: list[str]) -> None:
    made = path(KEY, user, tuple(tags), SERVED)
    assert len(set(made)) == len(made)
    assert all(len(scope) <= NAME_MOST + len("user:") for scope in made)


# -- long names -------------------------------------------------------------------------------


def test_a_name_is_kept_as_long_as_it_may_be_and_then_known_by_its_digest() -> None:
    longest = "é" * NAME_MOST
    assert short(longest) == longest
    assert short(longest + "x") == digest(longest + "x")
    assert short("*") == digest("*")
    assert len({short(longest + end) for end in "abc"}) == 3
    assert short("") == ""


def test_half_a_character_has_a_digest_too() -> None:
    assert short("\ud800" * (NAME_MOST + 1)).startswith("sha256-")


# -- tags -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", ()),
        (" , ,", ()),
        ("a", ("a",)),
        (" a , b c,,d:e ", ("a", "b c", "d:e")),
        ("a,a", ("a", "a")),
        ("x" * NAME_MOST, ("x" * NAME_MOST,)),
        (",".join("abcdefgh"), tuple("abcdefgh")),
        (",".join("abcdefgh") + ", ,", tuple("abcdefgh")),
    ],
)
def test_tags_are_named_with_commas_between(text: str, tags: tuple[str, ...]) -> None:
    assert len("abcdefgh") == TAGS_MOST
    assert read_tags(text) == tags


@pytest.mark.parametrize(
    "text", ["x" * (NAME_MOST + 1), "a," * (TAGS_MOST + 1), "a,b,c,d,e,f,g,h,i"]
)
def test_too_many_tags_and_too_long_ones_are_refused(text: str) -> None:
    with pytest.raises(Malformed) as error:
        read_tags(text)
    assert error.value.code == "invalid_header"
    assert error.value.message == (
        "farthing-tags: name at most 8 tags of at most 128 characters, with commas between."
    )


# -- the user that a request names ------------------------------------------------------------

PLACES = (("first",), ("outer", "inner"))


@pytest.mark.parametrize(
    ("body", "user"),
    [
        ({}, ""),
        ({"first": "ann"}, "ann"),
        ({"outer": {"inner": "bob"}}, "bob"),
        ({"first": "ann", "outer": {"inner": "bob"}}, "ann"),
        ({"first": "", "outer": {"inner": "bob"}}, "bob"),
        ({"first": None, "outer": {"inner": "bob"}}, "bob"),
        ({"first": 7, "outer": {"inner": "bob"}}, "bob"),
        ({"first": {"first": "ann"}}, ""),
        ({"first": ["ann"]}, ""),
        ({"first": True}, ""),
        ({"outer": "bob"}, ""),
        ({"outer": ["inner"]}, ""),
        ({"outer": {"inner": {"inner": "bob"}}}, ""),
        ({"outer": {"inner": 5}}, ""),
        ({"outer": None}, ""),
        ({"inner": "bob"}, ""),
        ({"first": "é😀\n"}, "é😀\n"),
    ],
)
def test_the_first_place_that_names_a_user_counts(body: dict[str, object], user: str) -> None:
    assert told_user(fields(body), PLACES) == user


def test_a_dialect_without_a_place_names_nobody() -> None:
    assert told_user(fields({"first": "ann"}), ()) == ""


@pytest.mark.parametrize(
    "raw", [b'"\xff"', b"nonsense", b"", b"[" * 100_000, b'"\\ud800"', b'"\\ud800 and more"']
)
@pytest.mark.parametrize("name", ["first", "outer"])
def test_what_cannot_be_read_names_nobody(raw: bytes, name: str) -> None:
    assert told_user({name: msgspec.Raw(raw)}, PLACES) == ""


@given(st.text())
def test_whatever_a_request_names_can_be_journaled(name: str) -> None:
    told = told_user(fields({"first": name}), PLACES)
    assert told == name
    scopes = path(KEY, told, (), SERVED)
    hold = Hold(1, "q", "k", scopes, "p", "m", "m", "chat", False, 1, 1, 1, 1, "", "w")
    assert decode(encode(hold)) == hold
