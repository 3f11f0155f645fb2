"""Signed notes: the specification's example, one form for each checkpoint, nobody else's key."""

from __future__ import annotations

import pytest
from tests.support.evidence import IDENTITY, ORIGIN, VERIFIER, standalone

from farthing.evidence.note import (
    Head,
    NoteError,
    Signer,
    Verifier,
    decoded,
    encoded,
    good_name,
    read_checkpoint,
)

# From c2sp.org/signed-note: a key, and what it signed.
KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
TEXT = b"This is an example message.\n"
SIGNATURE = (
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)

HEAD = Head(ORIGIN, 7, b"r" * 32)
SIGNED = IDENTITY.signer.sign(HEAD)


def test_the_specifications_key_and_signature() -> None:
    key = Verifier.of(KEY + "\n")
    assert key.name == "example.com/foo" and str(key) == KEY
    assert decoded(SIGNATURE)[:4] == key.id
    standalone().check_signature(key.key, TEXT, decoded(SIGNATURE)[4:])
    with pytest.raises(ValueError, match="signature is wrong"):
        standalone().check_signature(key.key, TEXT + b"\n", decoded(SIGNATURE)[4:])


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    text, signature = SIGNED.decode().split("\n\n")
    assert text == f"{ORIGIN}\n7\n{encoded(b'r' * 32)}"
    assert signature.startswith(f"— {ORIGIN} ") and signature.endswith("\n")
    assert read_checkpoint(SIGNED, VERIFIER) == HEAD
    assert standalone().read_checkpoint(SIGNED, str(VERIFIER)) == (7, b"r" * 32)
    assert IDENTITY.signer.sign(HEAD) == SIGNED


def test_signatures_of_others_are_passed_over_and_the_logs_must_be_there() -> None:
    witness = Signer("witness.example", b"w" * 32)
    other = witness.sign(HEAD).decode().split("\n\n")[1].encode()
    assert read_checkpoint(SIGNED + other, VERIFIER) == HEAD
    assert standalone().read_checkpoint(SIGNED + other, str(VERIFIER))[0] == 7
    alone = SIGNED[: SIGNED.index(b"\n\n") + 2] + other
    with pytest.raises(NoteError, match="not signed"):
        read_checkpoint(alone, VERIFIER)
    with pytest.raises(ValueError, match="not signed"):
        standalone().read_checkpoint(alone, str(VERIFIER))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 10,
        SIGNED[:-1],
        SIGNED + b"\n",
        SIGNED.replace(b"\n7\n", b"\n8\n"),
        SIGNED.replace(b"\n7\n", b"\n07\n"),
        SIGNED.replace(b"\n7\n", b"\n7\nmore\n"),
        SIGNED.replace(b"=\n\n", b"\n\n"),
        SIGNED.replace("—".encode(), b"-"),
        SIGNED + b"x" * 20_000,
        IDENTITY.signer.sign(Head(ORIGIN, 7, b"short")),
        IDENTITY.signer.sign(Head("other.example", 7, b"r" * 32)),
        Signer(ORIGIN, b"k" * 32).sign(HEAD),
    ],
)
def test_what_we_would_not_have_written_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        read_checkpoint(data, VERIFIER)
    with pytest.raises(ValueError):
        standalone().read_checkpoint(data[:20_000], str(VERIFIER))


@pytest.mark.parametrize(
    "text", ["", "x", KEY[:-2], KEY.replace("530d", "530e"), KEY.replace("foo", "f o"), "+" + KEY]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Verifier.of(text)


def test_names() -> None:
    assert good_name("farthing/0a1b") and good_name("log.example/é")
    assert not any(map(good_name, ("", "a b", "a+b", "a\nb", "a\u2003b")))


@pytest.mark.parametrize("text", ["YWI", "YWJ=", "YW I=", "YWI=\n", "é", "YW-="])
def test_base64_has_one_form(text: str) -> None:
    with pytest.raises(NoteError):
        decoded(text)
