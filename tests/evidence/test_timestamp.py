"""One time stamp: OpenSSL's authority takes our question, and nothing but its answer is taken."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
from tests.support.authority import Authority

from farthing.evidence.timestamp import Stamp, TimestampError, query

DATA = b"a checkpoint of a log\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def answer(authority: Authority) -> bytes:
    return authority.answer(query(DATA).body)


def refused(work: object, *arguments: object) -> str:
    assert callable(work)
    with pytest.raises(TimestampError) as problem:
        work(*arguments)
    return str(problem.value)


def test_openssl_answers_our_question_and_verifies_what_we_take(
    authority: Authority, tmp_path: Path
) -> None:
    asked = query(DATA)
    told = authority.answer(asked.body)
    stamp = Stamp.of(told, DATA, asked.nonce)
    stamp.check_signature(authority.roots)
    assert stamp.authority == "CN=Test TSA"
    file, data = tmp_path / "a.tsr", tmp_path / "a"
    file.write_bytes(told)
    data.write_bytes(DATA)
    assert authority.accepts(file, data)
    data.write_bytes(DATA + b"x")
    assert not authority.accepts(file, data)


def test_each_question_has_a_number_of_its_own() -> None:
    assert len({query(DATA).nonce for _ in range(8)}) == 8


def test_of_other_bytes_or_to_another_question_it_is_none(answer: bytes) -> None:
    assert "its imprint differs" in refused(Stamp.of, answer, DATA + b"x")
    assert "its nonce differs" in refused(Stamp.of, answer, DATA, query(DATA).nonce)


def test_another_issuer_does_not_vouch_for_it(answer: bytes, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other")
    stamp = Stamp.of(answer, DATA)
    said = refused(stamp.check_signature, stranger.roots)
    assert "no certificate that was given vouches for it" in said
    refused(stamp.check_signature, [])


def test_a_rejection_says_why(tmp_path: Path) -> None:
    picky = Authority(tmp_path / "picky", digests="sha512")
    said = refused(Stamp.of, picky.answer(query(DATA).body), DATA)
    assert "did not grant it: rejection: Message digest algorithm is not supported" in said


# Parts of the certificate in an answer, in DER; structure is looked at before any signature.
USAGE = b"\x06\x03\x55\x1d\x25"
STAMPING = b"\x2b\x06\x01\x05\x05\x07\x03\x08"


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (USAGE, b"\x06\x03\x55\x1d\x63"),  # an extension that nobody knows
        (STAMPING, STAMPING[:-1] + b"\x04"),  # for mail
        (USAGE + b"\x01\x01\xff\x04\x0c", USAGE + b"\x04\x0f"),  # not critical
    ],
)
def test_a_certificate_for_something_else_signs_no_time(
    answer: bytes, part: bytes, other: bytes
) -> None:
    """OpenSSL's authority would not begin with such a certificate."""
    if len(other) < len(part):  # the flag's three bytes go to the end of what it stood before
        rest = answer.index(part) + len(part)
        part, other = part + answer[rest : rest + 12], other + answer[rest : rest + 12]
        other += b"\x05\x01\x00"
    assert part in answer
    said = refused(Stamp.of, answer.replace(part, other), DATA)
    assert "is not one for time stamps" in said or "not an answer of RFC 3161" in said


def test_a_time_outside_of_the_certificates_is_none(answer: bytes) -> None:
    year = b"\x17\x0d" + answer.partition(b"\x17\x0d")[2][:2]
    said = refused(Stamp.of, answer.replace(year, b"\x17\x0d01"), DATA)
    assert "the authority's certificate is not valid" in said


def test_the_authoritys_certificate_must_be_with_it(authority: Authority) -> None:
    builder = TimestampRequestBuilder().data(DATA).hash_algorithm(HashAlgorithm.SHA256)
    bare = authority.answer(builder.cert_request(cert_request=False).build().as_bytes())
    assert "does not carry its authority's certificate" in refused(Stamp.of, bare, DATA)


def taken(answer: bytes, authority: Authority) -> Stamp | None:
    try:
        stamp = Stamp.of(answer, DATA)
        stamp.check_signature(authority.roots)
    except TimestampError:
        return None
    return stamp


def test_a_changed_byte_is_found_wherever_a_signature_is_over_it(
    answer: bytes, authority: Authority, tmp_path: Path
) -> None:
    """What is left are versions of forms and names of algorithms; OpenSSL passes over them too."""
    draw, good = random.Random(1), taken(answer, authority)
    assert good is not None
    left = 0
    data, file = tmp_path / "data", tmp_path / "changed.tsr"
    data.write_bytes(DATA)
    for place in range(len(answer)):
        changed = bytearray(answer)
        changed[place] ^= draw.randint(1, 255)
        stamp = taken(bytes(changed), authority)
        if stamp is not None:
            left += 1
            file.write_bytes(changed)
            assert authority.accepts(file, data), place
            assert (stamp.at, stamp.authority) == (good.at, good.authority)
    assert left < 20


def test_garbage_is_said_to_be_garbage() -> None:
    draw = random.Random(2)
    for length in [*range(40), 500]:
        assert "not an answer of RFC 3161" in refused(Stamp.of, draw.randbytes(length), DATA)
    granted_nothing = bytes.fromhex("30053003020100")
    assert refused(Stamp.of, granted_nothing, DATA)
