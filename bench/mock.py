"""Where the rig stands in for the provider: two ports, one of them with TLS."""

from __future__ import annotations

import datetime
import ipaddress
import socket
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Mock(msgspec.Struct, frozen=True):
    """The rig as the provider."""

    port: int
    tls_port: int
    certificate: Path
    """Of the port with TLS, for 127.0.0.1 and localhost; who asks there must check it."""
    key: Path

    def arguments(self, *, tls: bool) -> list[str]:
        """Return the rig's arguments for one of the two ports."""
        if not tls:
            return ["--mock-port", str(self.port)]
        files = ["--certificate", str(self.certificate), "--key", str(self.key)]
        return ["--mock-port", str(self.tls_port), *files]


def make_mock(folder: Path) -> Mock:
    """Choose two ports and make a certificate in a folder."""
    mock = Mock(free_port(), free_port(), folder / "mock.crt", folder / "mock.key")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rig")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    mock.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    mock.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return mock


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
