"""The way to a provider: which addresses are tried, and who must answer there."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.loopback import Link, Loopback, answering, http, jump, link, run, until

from farthing.errors import Failed
from farthing.providers import Provider
from farthing.proxy.pool import UpstreamPool, own_pool
from farthing.settings import HttpSettings


async def unreachable(**fields: Any) -> str:
    """Connect to a provider that must not be reached; return why."""
    said: dict[str, Any] = {"allow_private_address": True, "name": "acme", **fields}
    provider = Provider(dialects={}, **said)
    async with own_pool(HttpSettings()) as pool:
        with pytest.raises(Failed) as problem:
            await pool.connect(provider).in_task()
    assert (problem.value.code, problem.value.status) == ("upstream_unreachable", 502)
    assert "Nothing was sent" in problem.value.message
    return problem.value.message


# -- no connection --------------------------------------------------------------------------------


def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        port = bound.getsockname()[1]
        told = run(unreachable(base_url=f"http://127.0.0.1:{port}"))
    assert f"acme cannot be reached at 127.0.0.1:{port}" in told


def test_a_provider_that_does_not_take_the_connection_in_time() -> None:
    """It accepts, and says nothing where TLS wants an answer."""

    async def scene() -> None:
        async with answering() as server:
            url = f"https://127.0.0.1:{server.port}"
            refused = asyncio.create_task(unreachable(base_url=url))
            await until(lambda: server.connections == 1)
            await jump(HttpSettings().connect_seconds - 1)
            assert not refused.done()
            await jump(2)
            assert "no connection within 10 seconds" in await refused
            await server.all_closed()

    run(scene())


async def found(addresses: list[str], error: Exception | None = None) -> None:
    """Let every name be found at these addresses, by nobody's server."""

    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        if error is not None:
            raise error
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    asyncio.get_running_loop().getaddrinfo = getaddrinfo  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(-2, "Name or service not known"),
        UnicodeError("label too long"),
    ],
)
def test_a_name_that_is_not_found(error: Exception) -> None:
    async def scene() -> None:
        await found([], error)
        asking = asyncio.create_task(unreachable(base_url="http://acme.invalid"))
        for _ in range(100):
            await asyncio.sleep(0)
        assert asking.done()
        assert str(error) in await asking

    run(scene())


def test_every_address_of_a_name_is_tried() -> None:
    async def scene() -> None:
        async with link(answering(http())) as it:
            await found(["127.0.0.2", "127.0.0.1"])  # the server listens on the second
            it.provider = it.server.provider(base_url=f"http://acme.invalid:{it.server.port}")
            assert await it.ask() == b"hello"

    run(scene())


# -- private addresses ----------------------------------------------------------------------------


class Tried(Exception):
    """A connection would have been made."""


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that connections would have gone to; none is made."""
    addresses: list[str] = []

    async def open_at(_: UpstreamPool, provider: Provider, address: str) -> None:
        addresses.append(address)
        raise OSError("not in a test")

    monkeypatch.setattr(UpstreamPool, "_open_at", open_at)
    return addresses


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "0.0.0.0", "[::]",
        "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fd00::1]",
        "169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]",
    ],
)  # fmt: skip
def test_a_private_address_is_refused(tried: list[str], host: str) -> None:
    url = f"http://{host}:9"
    told = run(unreachable(base_url=url, allow_private_address=False))
    assert not tried
    assert "set allow_private_address = true under [providers.acme]" in told
    run(unreachable(base_url=url, allow_private_address=True))
    assert tried


def test_of_several_addresses_only_the_public_ones_are_tried(tried: list[str]) -> None:
    async def scene() -> None:
        await found(["127.0.0.1", "8.8.8.8", "10.0.0.1", "8.8.4.4", "8.8.8.8"])
        await unreachable(base_url="http://acme.invalid", allow_private_address=False)

    run(scene())
    assert tried == ["8.8.8.8", "8.8.4.4"]


# -- TLS ------------------------------------------------------------------------------------------

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run([str(OPENSSL), *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate authority, ca.pem, and localhost's certificate, leaf.pem."""
    folder = tmp_path_factory.mktemp("tls")
    ca = ("-subj", "/CN=a test", "-addext", "keyUsage=critical,keyCertSign")
    openssl(folder, "req", "-x509", *KEY, "ca.key", "-out", "ca.pem", *ca)
    openssl(folder, "req", *KEY, "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost")
    (folder / "san").write_text(
        "subjectAltName=DNS:localhost\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    )
    signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san")
    openssl(folder, "x509", "-req", "-in", "leaf.csr", "-out", "leaf.pem", *signer)
    return folder


def secured(authority: Path) -> Loopback:
    """A server with localhost's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "leaf.pem", authority / "leaf.key")
    return answering(http(b"secret"), http(b"secret"), tls=context)


@needs_openssl
def test_a_provider_with_a_certificate_that_is_trusted(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))

    async def scene() -> None:
        async with link(secured(authority)) as it:
            it.provider = it.server.provider(base_url=f"https://localhost:{it.server.port}")
            assert [await it.ask(), await it.ask()] == [b"secret", b"secret"]
            assert it.server.connections == 1

    run(scene())


@needs_openssl
@pytest.mark.parametrize(
    ("trusted", "host", "why"),
    [
        ("leaf.csr", "localhost", "unable to get local issuer certificate"),
        ("ca.pem", "127.0.0.1", "IP address mismatch"),
    ],
)
def test_whoever_cannot_prove_to_be_the_provider_gets_nothing(
    authority: Path, monkeypatch: pytest.MonkeyPatch, trusted: str, host: str, why: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / trusted))
    monkeypatch.setenv("SSL_CERT_DIR", str(authority / "none"))

    async def scene() -> None:
        async with secured(authority) as server:
            told = await unreachable(base_url=f"https://{host}:{server.port}")
            assert "CERTIFICATE_VERIFY_FAILED" in told and why in told
            assert not server.requests

    run(scene())


def test_a_plain_server_is_not_spoken_to_plainly() -> None:
    async def scene() -> None:
        async with answering(http()) as server, own_pool(HttpSettings()) as pool:
            it = Link(pool, server, server.provider(base_url=f"https://localhost:{server.port}"))
            asking = asyncio.create_task(it.failure())
            await until(lambda: server.connections == 1)
            await jump(11)
            assert (await asking).code == "upstream_unreachable"
            assert not server.requests

    run(scene())
