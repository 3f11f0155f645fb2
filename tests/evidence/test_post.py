"""Asking with a body: only addresses that may be, no redirects, and bounds on all that comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from farthing.evidence.post import ANSWER_MOST, Target, post


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server of one connection, on a free port; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for connection in held:
                connection.close()


def saying(data: bytes, heard: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        got = b""
        while not got.endswith(b"body"):
            got += connection.recv(65536)
        if heard is not None:
            heard.append(got)
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            return

    return answer


def ask(url: str, private: bool = True, seconds: float = 10) -> tuple[int, bytes]:
    return post(Target(url, private), b"body", "text/x-test", seconds)


def test_a_body_is_posted_and_the_answer_is_had() -> None:
    heard: list[bytes] = []
    with server(saying(b"HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n7\n", heard)) as url:
        assert ask(url + "/a/add-checkpoint?x=1") == (409, b"7\n")
    assert heard[0].startswith(b"POST /a/add-checkpoint?x=1 HTTP/1.1\r\n")
    assert b"content-type: text/x-test\r\n" in heard[0] and heard[0].endswith(b"\r\n\r\nbody")


def test_private_addresses_are_refused_unless_they_are_meant() -> None:
    with pytest.raises(OSError, match="allow_private_address = true"):
        ask("http://127.0.0.1:9/", private=False)
    with pytest.raises(OSError, match="allow_private_address = true"):
        ask("http://169.254.169.254/", private=False)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    head = b"HTTP/1.1 307 T\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"
    with server(saying(head)) as url:
        assert ask(url)[0] == 307


def test_an_answer_without_end_is_refused() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    much = saying(head + b"x" * (ANSWER_MOST + 5))
    with server(much) as url, pytest.raises(OSError, match="more than"):
        ask(url)


@pytest.mark.parametrize("data", [b"", b"nonsense\r\n\r\n"])
def test_what_is_not_http_is_an_error(data: bytes) -> None:
    with server(saying(data)) as url, pytest.raises(OSError, match="did not answer as HTTP"):
        ask(url)


def test_one_that_says_a_little_for_ever_is_hung_up_on() -> None:
    """Each read is quick; all of them together would have no end."""
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not ended.wait(0.02):
            try:
                connection.sendall(b"x")
            except OSError:
                return

    with server(drip) as url:
        try:
            answer = ask(url, seconds=0.3)  # cut off, and so no cosignature
        except OSError:
            answer = (0, b"")
        finally:
            ended.set()
    assert len(answer[1]) < 100


def test_nobody_there_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OSError):
        ask(f"http://127.0.0.1:{port}")
