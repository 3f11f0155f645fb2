"""A time-stamping authority of OpenSSL's, on a loopback port, with a throw-away CA of its own."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# What `openssl ts` reads; DIGESTS is what it stamps.
CONFIG = """
[tsa]
default_tsa = own
[own]
serial = {root}/serial
signer_cert = {root}/tsa.pem
signer_key = {root}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.4146.2.3
digests = {digests}
ess_cert_id_alg = sha256
"""


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signed_by: ec.EllipticCurvePrivateKey,
    *extensions: tuple[x509.ExtensionType, bool],
) -> bytes:
    """Return a certificate of a day in PEM; each extension is critical or not."""
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        _name(issuer), _name(subject), key.public_key(), x509.random_serial_number(),
        now - timedelta(hours=1), now + timedelta(days=1),
    )  # fmt: skip
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signed_by, SHA256()).public_bytes(Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


STAMPING = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)


class Authority:
    """Certificates, and an HTTP server that has `openssl ts -reply` answer each question."""

    def __init__(self, root: Path, digests: str = "sha256", name: str = "Test TSA") -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self.ca = root / "ca.pem"
        self.asked: list[bytes] = []
        self.change: Callable[[bytes], bytes] = bytes
        """What becomes of a question on its way to OpenSSL."""
        self.instead: tuple[int, bytes] | None = None
        """A status and a body that are answered in OpenSSL's place."""
        ca, tsa = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        own = (x509.BasicConstraints(ca=True, path_length=None), True)
        named = (x509.SubjectKeyIdentifier.from_public_key(ca.public_key()), False)
        self.ca.write_bytes(certificate("Test CA", ca, "Test CA", ca, own, named))
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key())
        signed = certificate(name, tsa, "Test CA", ca, STAMPING, (above, False))
        (root / "tsa.pem").write_bytes(signed)
        (root / "tsa.key").write_bytes(_private(tsa))
        (root / "serial").write_text("01\n")
        (root / "ts.cnf").write_text(CONFIG.format(root=root, digests=digests))

    @property
    def roots(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.ca.read_bytes())

    def answer(self, question: bytes) -> bytes:
        """Have OpenSSL answer one question, a TimeStampReq in DER."""
        asked, told = self.root / "question.tsq", self.root / "answer.tsr"
        asked.write_bytes(self.change(question))
        told.unlink(missing_ok=True)
        files = ("-config", self.root / "ts.cnf", "-queryfile", asked, "-out", told)
        assert self._ts("-reply", *files), "OpenSSL cannot read the question"
        return told.read_bytes()

    def accepts(self, stamp: Path, data: Path) -> bool:
        """Say whether OpenSSL verifies a stored stamp of a file."""
        return self._ts("-verify", "-in", stamp, "-data", data, "-CAfile", self.ca)

    @staticmethod
    def _ts(*arguments: str | Path) -> bool:
        program = ["openssl", "ts", *arguments]
        return subprocess.run(program, check=False, capture_output=True).returncode == 0


class Served:
    """An authority over HTTP, as RFC 3161, section 3.4, has it."""

    def __init__(self, authority: Authority) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                authority.asked.append(body)
                assert self.headers["content-type"] == "application/timestamp-query"
                status, told = authority.instead or (200, authority.answer(body))
                self.send_response(status)
                self.send_header("content-type", "application/timestamp-reply")
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/tsr"

    def __enter__(self) -> str:
        self._thread.start()
        return self.url

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
