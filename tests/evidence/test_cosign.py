"""Cosignatures: of a head and a time, of a key that signs nothing else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.support.evidence import IDENTITY, ORIGIN, VERIFIER, standalone

from farthing.evidence.cosign import COSIGNATURE, cosignature, cosigned_at
from farthing.evidence.note import Head, NoteError, Signer, Verifier, read_checkpoint, read_note

HEAD = Head(ORIGIN, 7, b"r" * 32)
SIGNED = IDENTITY.signer.sign(HEAD)
WITNESS = Signer("witness.example/w1", b"w" * 32, COSIGNATURE)
KEY = WITNESS.verifier
LINE = cosignature(WITNESS, HEAD, 1_679_315_147).line


def test_the_form_is_the_specifications() -> None:
    """c2sp.org/tlog-cosignature: eight bytes of time, then Ed25519 over these lines."""
    note = read_note(SIGNED + LINE.encode())
    (data,) = note.signed_by(KEY)
    assert int.from_bytes(data[:8], "big") == 1_679_315_147 and len(data) == 8 + 64
    message = b"cosignature/v1\ntime 1679315147\n" + SIGNED.partition(b"\n\n")[0] + b"\n"
    Ed25519PublicKey.from_public_bytes(KEY.key).verify(data[8:], message)


def test_a_witnesss_key_is_of_its_own_type() -> None:
    assert Verifier.of(str(KEY), COSIGNATURE) == KEY
    for text, kind in ((str(KEY), b"\1"), (str(VERIFIER), COSIGNATURE)):
        with pytest.raises(NoteError, match="not a public key of the kind"):
            Verifier.of(text, kind)


def test_the_latest_time_is_told_and_none_where_there_is_none() -> None:
    later = cosignature(WITNESS, HEAD, 1_679_315_149).line
    both = read_note(SIGNED + (LINE + later).encode())
    assert cosigned_at(both, KEY) == 1_679_315_149
    assert cosigned_at(read_note(SIGNED), KEY) is None
    assert cosigned_at(both, Signer(KEY.name, b"x" * 32, COSIGNATURE).verifier) is None


def test_a_checkpoint_with_cosignatures_is_the_logs_as_before() -> None:
    for data in (SIGNED + LINE.encode(), SIGNED + LINE.encode() * 2):
        assert read_checkpoint(data, VERIFIER) == HEAD
    assert standalone().read_checkpoint(SIGNED + LINE.encode(), str(VERIFIER)) == (7, HEAD.root)


def test_one_of_another_head_or_time_is_refused() -> None:
    good = cosignature(WITNESS, HEAD, 5)
    other = cosignature(WITNESS, HEAD._replace(size=8), 5)
    for data in (
        other.data,
        (6).to_bytes(8, "big") + good.data[8:],
        bytes(8) + good.data[8:],
        (2**63).to_bytes(8, "big") + good.data[8:],
        good.data[:-1],
        b"",
    ):
        note = read_note(SIGNED + good._replace(data=data).line.encode())
        with pytest.raises(NoteError, match=r"the cosignature of witness\.example/w1"):
            cosigned_at(note, KEY)
