"""Commitments: they open with their own salt, and tell nothing without."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from farthing.evidence.salt import Salted, is_plain, salt_of


def test_a_commitment_is_an_hmac_with_the_fields_own_salt() -> None:
    shown = Salted(b"secret", 7).commit("by", "ann")
    salt = hmac.new(b"secret", b"7/by", hashlib.sha256).digest()
    assert salt_of(b"secret", 7, "by") == salt
    assert shown == "hmac-sha256:" + hmac.new(salt, b"ann", hashlib.sha256).hexdigest()


def test_the_same_text_looks_different_everywhere_else() -> None:
    made = {
        Salted(secret, position).commit(field, "ann")
        for secret in (b"a", b"b")
        for position in (1, 11)
        for field in ("by", "note", "1/by")
    }
    assert len(made) == 12


@pytest.mark.parametrize(
    ("scope", "plain"),
    [
        ("org:acme", True), ("team:a", True), ("project:a", True), ("key:k1", True),
        ("model:p/m", True), ("provider:p", True), ("route:fast", True), ("user:*", True),
        ("", True), ("user:ann", False), ("tag:ann", False), ("new-kind:ann", False),
    ],
)  # fmt: skip
def test_only_the_operators_own_names_are_shown(scope: str, plain: bool) -> None:
    shown = Salted(b"secret", 7).scope("scope", scope)
    assert is_plain(scope) == plain == (shown == scope)
    assert plain or (
        "ann" not in shown and shown.startswith(scope.split(":", maxsplit=1)[0] + ":hmac-sha256:")
    )
