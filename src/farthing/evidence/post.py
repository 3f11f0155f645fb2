"""Asking an address of the administrator's for something, with a body: witnesses, time stamps.

The rules are those for providers: the host is resolved, its addresses are checked, and one that was
checked is connected to; no redirect is followed; what comes back is bounded in size and in time.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from typing import NamedTuple
from urllib.parse import urlsplit

SECONDS = 30.0
ANSWER_MOST = 64 * 1024


class Target(NamedTuple):
    """Where something is asked."""

    url: str
    allow_private_address: bool
    setting: str = "allow_private_address"
    """What the administrator sets if a private address is meant."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


def post(target: Target, body: bytes, content_type: str, seconds: float = SECONDS) -> Answer:
    """Post a body, in a thread that may wait so long.

    Raises:
        OSError: there was no answer, or none that is HTTP.
    """
    url = urlsplit(target.url)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    connection = http.client.HTTPConnection(host, port)
    raw = _connect(host, port, target, seconds)
    # A time-out of the socket is of one read; this is of all of them.
    limit = threading.Timer(seconds, _hang_up, [raw])
    limit.daemon = True
    limit.start()
    try:
        tls = url.scheme == "https"
        context = ssl.create_default_context() if tls else None
        connection.sock = context.wrap_socket(raw, server_hostname=host) if context else raw
        headers = {"content-type": content_type, "accept-encoding": "identity"}
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        data = answer.read(ANSWER_MOST + 1)
    except http.client.HTTPException as problem:
        raise OSError(f"{target.url} did not answer as HTTP does ({problem!r})") from None
    finally:
        limit.cancel()
        connection.close()
        raw.close()
    if len(data) > ANSWER_MOST:
        raise OSError(f"{target.url} answered more than {ANSWER_MOST} bytes")
    return Answer(answer.status, data)


def _connect(host: str, port: int, target: Target, seconds: float) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not target.allow_private_address:
        addresses = [each for each in addresses if ipaddress.ip_address(each).is_global]
    if not addresses:
        raise OSError(
            f"the address of {host} is a private one; if that is meant, set "
            f"{target.setting} = true beside its url in farthing.toml"
        )
    problem = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), seconds)
        except OSError as error:
            problem = error
    raise problem


def _hang_up(raw: socket.socket) -> None:
    try:
        raw.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended meanwhile
        return
