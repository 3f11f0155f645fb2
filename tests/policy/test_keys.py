"""Keys: shown once, kept as an HMAC, found by their id, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.errors import Refused
from farthing.ledger.entry import Key, encode
from farthing.ledger.registry import KeyState
from farthing.policy.keys import NewKey, authenticate, make_key

PEPPER = b"p" * 32
NOW = 1_800_000_000_000_000_000


def new(expires: int | None = None, max_cost: int | None = None) -> NewKey:
    return make_key("an app", PEPPER, NOW, "ada", expires, max_cost)


def known(*keys: NewKey, revoked_at: int | None = None) -> dict[str, KeyState]:
    return {key.entry.id: KeyState(key.entry, revoked_at) for key in keys}


def refused(text: str, keys: dict[str, KeyState], pepper: bytes = PEPPER, at: int = NOW) -> Refused:
    with pytest.raises(Refused) as error:
        authenticate(text, keys, pepper, at)
    return error.value


def with_secret(key: NewKey, secret: str) -> str:
    return f"fk_{key.entry.id}_{secret}"


def secret_of(key: NewKey) -> str:
    return key.text.split("_")[2]


# -- making ---------------------------------------------------------------------------------------


def test_a_key_is_a_prefix_an_id_and_256_random_bits() -> None:
    key = new()
    prefix, public, secret = key.text.split("_")
    assert prefix == "fk"
    assert public == key.entry.id
    assert len(public) == 12
    assert len(secret) == 52, "32 bytes in base 32"
    assert len(set(secret)) > 8


def test_no_two_keys_are_alike() -> None:
    keys = [new() for _ in range(100)]
    assert len({key.entry.id for key in keys}) == len({secret_of(key) for key in keys}) == 100


def test_the_entry_says_everything_but_the_secret() -> None:
    key = make_key("an app", PEPPER, NOW, "ada", NOW + 5, 7, "project:p")
    entry = key.entry
    assert (entry.at, entry.by, entry.name) == (NOW, "ada", "an app")
    assert (entry.parent, new().entry.parent) == ("project:p", "")
    assert (entry.expires, entry.max_cost) == (NOW + 5, 7)
    written = encode(entry)
    assert entry.id.encode() in written
    assert secret_of(key).encode() not in written
    assert PEPPER not in written


def test_the_digest_is_the_hmac_of_the_secret_under_the_pepper() -> None:
    key = new()
    assert key.entry.digest == hmac.new(PEPPER, secret_of(key).encode(), hashlib.sha256).digest()


# -- opening --------------------------------------------------------------------------------------


def test_a_key_opens() -> None:
    key, other = new(), new()
    assert authenticate(key.text, known(key, other), PEPPER, NOW).key == key.entry
    assert authenticate(other.text, known(key, other), PEPPER, NOW).key == other.entry


def test_what_opens_is_all_that_the_ledger_knows_of_the_key() -> None:
    key = new()
    state = KeyState(key.entry, None, (f"key:{key.entry.id}", "team:t"))
    assert authenticate(key.text, {key.entry.id: state}, PEPPER, NOW) is state


def test_no_key_at_all_is_missing_and_says_how_to_send_one() -> None:
    problem = refused("", known(new()))
    assert problem.code == "missing_key"
    assert "Authorization: Bearer fk_" in problem.message
    assert "`farthing keys create`" in problem.message


def test_a_key_needs_its_own_secret() -> None:
    key, other = new(), new()
    problem = refused(with_secret(key, secret_of(other)), known(key, other))
    assert problem.code == "unknown_key"


@pytest.mark.parametrize("change", [str.upper, lambda s: s[:-1], lambda s: s + "a", lambda s: ""])
def test_nearly_the_secret_is_not_the_secret(change: object) -> None:
    assert callable(change)
    key = new()
    assert refused(with_secret(key, change(secret_of(key))), known(key)).code == "unknown_key"


def test_a_wrong_secret_and_a_wrong_id_are_told_apart_by_nobody() -> None:
    key, stranger = new(), new()
    wrong_secret = refused(with_secret(key, secret_of(stranger)), known(key))
    wrong_id = refused(stranger.text, known(key))
    wrong_prefix = refused("sk" + key.text[2:], known(key))
    said = {(p.code, p.message, p.status) for p in (wrong_secret, wrong_id, wrong_prefix)}
    assert len(said) == 1


def test_a_revoked_or_expired_key_is_told_only_to_who_has_its_secret() -> None:
    key = new(expires=NOW)
    for keys in (known(key), known(key, revoked_at=1)):
        assert refused(with_secret(key, "guess"), keys).code == "unknown_key"


def test_the_pepper_matters() -> None:
    key = new()
    assert refused(key.text, known(key), pepper=b"q" * 32).code == "unknown_key"


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    key = new()
    refused(with_secret(key, "wrong"), known(key))
    authenticate(key.text, known(key), PEPPER, NOW)
    assert [one == other for one, other in compared] == [False, True]
    assert {len(digest) for pair in compared for digest in pair} == {32}


def test_only_the_comparison_opens_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: False)
    key = new()
    assert refused(key.text, known(key)).code == "unknown_key"


def test_a_revoked_key_no_longer_opens_and_is_named() -> None:
    key = new()
    problem = refused(key.text, known(key, revoked_at=NOW - 1))
    assert problem.code == "revoked_key"
    assert key.entry.id in problem.message
    assert "an app" in problem.message


@pytest.mark.parametrize(("at", "opens"), [(NOW - 1, True), (NOW, False), (NOW + 1, False)])
def test_a_key_opens_until_its_time_is_over(at: int, opens: bool) -> None:
    key = new(expires=NOW)
    if opens:
        assert authenticate(key.text, known(key), PEPPER, at).key == key.entry
    else:
        assert refused(key.text, known(key), at=at).code == "expired_key"


def test_a_key_without_an_end_never_expires() -> None:
    key = new()
    assert authenticate(key.text, known(key), PEPPER, 2**63 - 1).key == key.entry


def test_a_refusal_never_says_the_secret() -> None:
    key = new(expires=NOW)
    for keys in (known(), known(key), known(key, revoked_at=1)):
        assert secret_of(key) not in refused(key.text, keys).message


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), st.builds("fk_{}_{}".format, st.text(), st.text())))
def test_no_text_at_all_opens_by_accident_or_raises_anything_else(text: str) -> None:
    keys = known(NewKey("", Key(0, "ada", "", "", b"x" * 32)), new())
    problem = refused(text, keys)
    assert problem.code == ("unknown_key" if text else "missing_key")


def test_bytes_that_are_no_text_are_only_a_wrong_key() -> None:
    key = new()
    text = with_secret(key, b"\xff\xfe".decode("utf-8", "surrogateescape"))
    assert refused(text, known(key)).code == "unknown_key"


def test_a_new_key_does_not_change() -> None:
    assert NewKey.__struct_config__.frozen
    assert msgspec.structs.asdict(new()).keys() == {"text", "entry"}
