"""The registry: what can belong to what, and which keys still open."""

from __future__ import annotations

import pytest

from farthing.ledger.entry import ChangeKey, Key, Refusal, Revoke, Scope
from farthing.ledger.registry import NAMED, KeyState, Registry


def scope(name: str, parent: str = "") -> Scope:
    return Scope(1, "ada", name, parent)


def key(name: str = "k", parent: str = "", expires: int | None = None) -> Key:
    return Key(1, "ada", name, f"name of {name}", b"digest", expires, 9, parent)


def change(name: str = "k", parent: str = "", expires: int | None = None) -> ChangeKey:
    return ChangeKey(2, "bob", name, "another name", expires, 7, parent)


@pytest.fixture
def registry() -> Registry:
    """An organisation with a team with a project; a team and a project by themselves."""
    made = Registry()
    for entry in (
        scope("org:o"),
        scope("team:t", "org:o"),
        scope("project:p", "team:t"),
        scope("team:alone"),
        scope("project:alone"),
    ):
        assert made.make_scope(entry) is None
    return made


def said(refusal: Refusal | None, code: str = "invalid") -> str:
    assert refusal is not None
    assert refusal.code == code
    return refusal.detail


# -- scopes -----------------------------------------------------------------------------------


def test_scopes_know_what_they_belong_to(registry: Registry) -> None:
    assert registry.parents == {
        "org:o": "",
        "team:t": "org:o",
        "project:p": "team:t",
        "team:alone": "",
        "project:alone": "",
    }
    assert registry.make_scope(scope("project:direct", "org:o")) is None
    assert registry.make_scope(scope("team:with:colon")) is None


@pytest.mark.parametrize(
    "name", ["", "org", "org:", ":o", "team:*", "key:k", "user:u", "tag:t", "Org:o", "model:m"]
)
def test_what_is_no_scope_that_is_made_says_how_one_is_written(
    registry: Registry, name: str
) -> None:
    before = dict(registry.parents)
    told = said(registry.make_scope(scope(name)))
    assert told == f"{name!r} is no scope; write org:, team: or project: and a name"
    assert registry.parents == before


def test_a_scope_is_made_once(registry: Registry) -> None:
    assert said(registry.make_scope(scope("team:t")), "duplicate") == ""
    assert registry.parents["team:t"] == "org:o", "it stays where it is"


def test_a_parent_is_made_before_what_belongs_to_it(registry: Registry) -> None:
    told = "there is no team:missing; `farthing scopes create team:missing` makes it"
    assert said(registry.make_scope(scope("project:new", "team:missing"))) == told
    assert said(registry.make_key(key(parent="team:missing"))) == told
    assert "project:new" not in registry.parents
    assert registry.keys == {}


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("org:new", "org:o"),
        ("org:new", "team:t"),
        ("team:new", "team:t"),
        ("team:new", "project:p"),
        ("project:new", "project:p"),
        ("project:project:p", "project:p"),
    ],
)
def test_a_scope_belongs_to_a_larger_kind(registry: Registry, name: str, parent: str) -> None:
    told = said(registry.make_scope(scope(name, parent)))
    assert told.endswith(f", not to {parent}")
    assert name not in registry.parents


# -- keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parent", "lineage"),
    [
        ("", ("key:k",)),
        ("org:o", ("key:k", "org:o")),
        ("team:alone", ("key:k", "team:alone")),
        ("project:p", ("key:k", "project:p", "team:t", "org:o")),
    ],
)
def test_a_key_s_lineage_is_all_it_belongs_to_the_nearest_first(
    registry: Registry, parent: str, lineage: tuple[str, ...]
) -> None:
    assert registry.make_key(key(parent=parent)) is None
    assert registry.keys["k"].lineage == lineage
    assert registry.check("k", lineage, 5) is None
    assert registry.check("k", (*lineage, "user:u", "model:a/b", "tag:t"), 5) is None


def test_a_key_s_state_has_a_lineage_even_by_itself() -> None:
    assert KeyState(key()).lineage == ("key:k",)


def test_a_key_is_made_once(registry: Registry) -> None:
    registry.make_key(key())
    assert said(registry.make_key(key(parent="org:o")), "duplicate") == ""
    assert registry.keys["k"].lineage == ("key:k",)


def test_a_changed_key_keeps_its_secret_and_its_beginning(registry: Registry) -> None:
    registry.make_key(key(expires=5))
    assert registry.change_key(change(expires=50)) is None
    assert registry.keys["k"].key == Key(1, "ada", "k", "another name", b"digest", 50, 7, "")


def test_a_changed_key_that_was_revoked_stays_so(registry: Registry) -> None:
    registry.make_key(key())
    registry.revoke(Revoke(3, "ada", "k"))
    registry.change_key(change())
    assert registry.keys["k"].revoked_at == 3


def test_a_key_is_moved_with_its_lineage(registry: Registry) -> None:
    registry.make_key(key(parent="project:p"))
    assert registry.change_key(change(parent="team:alone")) is None
    assert registry.keys["k"].lineage == ("key:k", "team:alone")
    assert registry.keys["k"].key.parent == "team:alone"


def test_a_key_that_cannot_be_moved_is_not_changed(registry: Registry) -> None:
    registry.make_key(key(parent="org:o"))
    before = registry.keys["k"].key
    assert "farthing scopes create" in said(registry.change_key(change(parent="team:no")))
    assert registry.keys["k"].key == before
    assert registry.keys["k"].lineage == ("key:k", "org:o")


def test_a_key_that_is_not_there_cannot_be_changed_or_revoked(registry: Registry) -> None:
    assert said(registry.change_key(change("no")), "unknown_key") == ""
    assert said(registry.revoke(Revoke(1, "ada", "no")), "unknown_key") == ""


def test_revoking_again_does_not_move_the_moment(registry: Registry) -> None:
    registry.make_key(key())
    assert registry.revoke(Revoke(3, "ada", "k")) is None
    assert registry.revoke(Revoke(9, "bob", "k")) is None
    assert registry.keys["k"].revoked_at == 3


# -- what a key admits ------------------------------------------------------------------------


def test_a_key_that_does_not_open_admits_nothing(registry: Registry) -> None:
    registry.make_key(key("old", expires=10))
    registry.make_key(key("gone"))
    registry.revoke(Revoke(3, "ada", "gone"))
    assert registry.check("old", ("key:old",), 9) is None
    assert said(registry.check("old", ("key:old",), 10), "expired_key") == ""
    assert said(registry.check("gone", ("key:gone",), 1), "revoked_key") == ""
    assert said(registry.check("no", ("key:no",), 1), "unknown_key") == ""


@pytest.mark.parametrize("now", ["", "org:o", "team:alone", "team:t", "project:p"])
@pytest.mark.parametrize("before", ["", "org:o", "team:alone", "team:t", "project:p"])
def test_a_path_from_before_a_key_was_moved_is_stale(
    registry: Registry, before: str, now: str
) -> None:
    registry.make_key(key(parent=before))
    old = registry.keys["k"].lineage
    registry.change_key(change(parent=now))
    for path in (old, (*old, "user:u", "provider:acme")):
        refusal = registry.check("k", path, 1)
        assert (refusal is None) is (before == now)
        assert refusal is None or refusal.code == "stale_path"


@pytest.mark.parametrize(
    "path", [(), ("key:other",), ("user:u", "key:k", "org:o"), ("key:k",), ("org:o", "key:k")]
)
def test_a_path_that_leaves_out_what_a_key_belongs_to_is_stale(
    registry: Registry, path: tuple[str, ...]
) -> None:
    registry.make_key(key(parent="org:o"))
    assert said(registry.check("k", path, 1), "stale_path") == ""


# -- names of scopes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["org:o", "team:t", "project:p", "key:anything", "team:*", "user:u", "user:*", "tag:a:b"]
    + [f"{kind}:x" for kind in sorted(NAMED)],
)
def test_what_can_be_limited(registry: Registry, name: str) -> None:
    assert registry.unknown(name) is None


@pytest.mark.parametrize("name", ["", "user", "user:", ":u", "customer:c", "User:u", "*"])
def test_what_is_no_scope_names_those_that_are(registry: Registry, name: str) -> None:
    assert said(registry.unknown(name)) == (
        f"{name!r} is no scope; write one of org, team, project, key, model, provider, route, "
        "tag, user, a colon and a name"
    )


@pytest.mark.parametrize("name", ["org:no", "team:no", "project:no", "team:p"])
def test_what_must_be_made_is_made_before_it_is_limited(registry: Registry, name: str) -> None:
    assert (
        said(registry.unknown(name))
        == f"there is no {name}; `farthing scopes create {name}` makes it"
    )
