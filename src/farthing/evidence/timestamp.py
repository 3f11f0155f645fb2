"""Time stamps of checkpoints (RFC 3161): what is asked of an authority, and what it answers.

An authority says by one: I was shown this hash at this time. Who does not trust its certificate's
issuer learns nothing from it; `Stamp.check_signature` is given whom to trust.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from cryptography.x509 import Certificate, load_der_x509_certificate
from cryptography.x509.extensions import ExtendedKeyUsage, ExtensionNotFound
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from farthing.clock import SECOND

QUERY = "application/timestamp-query"
SHA256 = "2.16.840.1.101.3.4.2.1"

# What is for people in OpenSSL's stack of errors.
OPENSSL_WHY = re.compile(r'(?:Verify error: ?|reason: ")([^"]+)')


class TimestampError(Exception):
    """What an authority answered is no time stamp of it; the message says why."""


class Query(NamedTuple):
    """What an authority is asked: RFC 3161, section 2.4.1."""

    body: bytes
    nonce: int
    """A random number that only the answer to this question has."""


def query(data: bytes) -> Query:
    """Return the question for a time stamp of some bytes, with the authority's certificate."""
    builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    made = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    assert made.nonce is not None
    return Query(made.as_bytes(), made.nonce)


class Stamp(NamedTuple):
    """A time stamp whose own statements hold: not yet that anybody's signature does."""

    at: int
    """When it says that it was made, in nanoseconds since 1970."""
    authority: str
    """Whose certificate it carries, as RFC 4514 writes names."""
    response: TimeStampResponse
    digest: bytes

    @classmethod
    def of(cls, answer: bytes, data: bytes, nonce: int | None = None) -> Stamp:
        """Read an authority's answer (a TimeStampResp): granted, of these bytes, to this question.

        Raises:
            TimestampError: it is none, or of something else.
        """
        try:
            return cls._read(decode_timestamp_response(answer), sha256(data).digest(), nonce)
        except TimestampError:
            raise
        except Exception as problem:  # noqa: BLE001  (of parsers, on bytes that are anybody's)
            raise TimestampError(f"not an answer of RFC 3161 ({problem!r})") from None

    @classmethod
    def _read(cls, response: TimeStampResponse, digest: bytes, nonce: int | None) -> Stamp:
        _expect_granted(response)
        info = response.tst_info
        imprint, time = info.message_imprint, info.gen_time
        if imprint.hash_algorithm.dotted_string != SHA256 or imprint.message != digest:
            raise TimestampError("the time stamp is of something else: its imprint differs")
        if nonce is not None and info.nonce != nonce:
            raise TimestampError("the time stamp answers another question: its nonce differs")
        signer = signer_of(response)
        if not signer.not_valid_before_utc <= time <= signer.not_valid_after_utc:
            raise TimestampError(f"at {time} the authority's certificate is not valid")
        at = int(time.timestamp()) * SECOND + time.microsecond * 1000
        return cls(at, _printable(signer.subject.rfc4514_string()), response, digest)

    def check_signature(self, roots: Sequence[Certificate]) -> None:
        """Check the signature, and that its certificate goes back to one of those, at that time.

        Raises:
            TimestampError: it does not.
        """
        try:
            VerifierBuilder(roots=list(roots)).build().verify(self.response, self.digest)
        except (VerificationError, ValueError) as problem:
            why = OPENSSL_WHY.findall(str(problem)) or [str(problem)]
            raise TimestampError(
                f"no certificate that was given vouches for it: {why[-1]}"
            ) from None


def _expect_granted(response: TimeStampResponse) -> None:
    if response.status == PKIStatus.GRANTED:
        return
    known = {each.value: each.name.lower().replace("_", " ") for each in PKIStatus}
    status = known.get(response.status, str(response.status))
    why = _printable("; ".join(response.status_string)[:200])
    raise TimestampError(f"the authority did not grant it: {status}{': ' if why else ''}{why}")


def _printable(text: str) -> str:
    """Return somebody's text without what would make lines of its own on a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def signer_of(response: TimeStampResponse) -> Certificate:
    """Return the certificate that the only signature names; it must be for time stamps alone.

    RFC 3161, section 2.3: its extended key usage is critical, and is time stamping.

    Raises:
        TimestampError: it is not, or is not there, or there is not one signature.
    """
    infos = list(response.signed_data.signer_infos)
    if len(infos) != 1:
        raise TimestampError(f"the time stamp has {len(infos)} signatures, not one")
    carried = map(load_der_x509_certificate, response.signed_data.certificates)
    named = (infos[0].issuer, infos[0].serial_number)
    found = next((each for each in carried if (each.issuer, each.serial_number) == named), None)
    if found is None:
        raise TimestampError("the time stamp does not carry its authority's certificate")
    try:
        usage = found.extensions.get_extension_for_class(ExtendedKeyUsage)
    except ExtensionNotFound:
        usage = None
    if (
        usage is None
        or not usage.critical
        or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]
    ):
        raise TimestampError("the authority's certificate is not one for time stamps alone")
    return found
