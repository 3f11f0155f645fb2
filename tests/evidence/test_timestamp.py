"""One time stamp: OpenSSL's authority takes our question, and nothing but its answer is taken."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, TimeStampResponse
from tests.support.authority import Authority, certificate

from farthing.evidence.timestamp import Stamp, TimestampError, query, signer_of

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


MAIL, STAMPING = ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.TIME_STAMPING


def carrying(*usage: tuple[x509.ExtensionType, bool], signatures: int = 1) -> TimeStampResponse:
    """An answer, as it was read, with a certificate that no authority of OpenSSL's has."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.load_pem_x509_certificate(certificate("a", key, "b", key, *usage))
    infos = [SimpleNamespace(issuer=made.issuer, serial_number=made.serial_number)] * signatures
    carried = {made.public_bytes(Encoding.DER)}
    data = SimpleNamespace(signer_infos=infos, certificates=carried)
    return cast(TimeStampResponse, SimpleNamespace(signed_data=data))


@pytest.mark.parametrize(
    "usage",
    [
        [],
        [(x509.ExtendedKeyUsage([MAIL]), True)],
        [(x509.ExtendedKeyUsage([STAMPING, MAIL]), True)],
        [(x509.ExtendedKeyUsage([STAMPING]), False)],
    ],
)
def test_a_certificate_for_something_else_signs_no_time(
    usage: list[tuple[x509.ExtensionType, bool]],
) -> None:
    signer_of(carrying((x509.ExtendedKeyUsage([STAMPING]), True)))
    assert "is not one for time stamps alone" in refused(signer_of, carrying(*usage))


def test_there_is_one_signature() -> None:
    good = (x509.ExtendedKeyUsage([STAMPING]), True)
    for signatures in (0, 2):
        said = refused(signer_of, carrying(good, signatures=signatures))
        assert said == f"the time stamp has {signatures} signatures, not one"


def test_another_hash_is_another_imprint(answer: bytes) -> None:
    sha256, sha384 = (bytes.fromhex("0609608648016503040" + end) for end in ("201", "202"))
    changed = answer.replace(sha256, sha384)
    assert changed != answer and "its imprint differs" in refused(Stamp.of, changed, DATA)


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


def test_a_name_makes_no_lines_of_its_own(tmp_path: Path) -> None:
    """The name of an authority is anybody's to choose, and is shown on terminals."""
    sly = Authority(tmp_path / "sly", name="A\nverified: \x1b[2Jall")
    stamp = Stamp.of(sly.answer(query(DATA).body), DATA)
    assert stamp.authority == "CN=A?verified: ?[2Jall"


def test_garbage_is_said_to_be_garbage() -> None:
    draw = random.Random(2)
    for length in [*range(40), 500]:
        assert "not an answer of RFC 3161" in refused(Stamp.of, draw.randbytes(length), DATA)
    granted_nothing = bytes.fromhex("30053003020100")
    assert refused(Stamp.of, granted_nothing, DATA)
