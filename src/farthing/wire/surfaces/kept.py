"""What a provider keeps: files, and batches of queries. Passed through, no byte changed.

Files are free where the provider says so, as is asking how a batch does. Making a batch is not: it
buys what is billed a day later, and nothing beforehand says how much.
https://platform.openai.com/docs/api-reference/files
https://platform.openai.com/docs/api-reference/batch
https://docs.anthropic.com/en/api/files-create
https://docs.anthropic.com/en/api/creating-message-batches
"""

from __future__ import annotations

from farthing.wire.chat.response import error, fault, model_list
from farthing.wire.dialect import Ask, Changes, Dialect, Operation
from farthing.wire.messages import MESSAGES
from farthing.wire.surfaces.plain import no_count, no_usage, unread

# An id as vendors make them; nothing in it can leave the folder it is in.
ID = r"/[A-Za-z0-9][A-Za-z0-9_.:-]{0,255}"
BATCH = "a batch, which is billed when it has run,"

OF_FILES = (
    Operation(b"GET", ""),
    Operation(b"POST", ""),
    Operation(b"GET", ID),
    Operation(b"DELETE", ID),
    Operation(b"GET", f"{ID}/content"),
)
OF_BATCHES = (
    Operation(b"GET", ""),
    Operation(b"POST", "", buys=BATCH),
    Operation(b"GET", ID),
    Operation(b"POST", f"{ID}/cancel"),
)
OF_MESSAGE_BATCHES = (
    *OF_BATCHES,
    Operation(b"DELETE", ID),
    Operation(b"GET", f"{ID}/results"),
)


def read_request(body: bytes) -> Ask:
    """Read a request, of which only the path says anything."""
    return Ask(body=body, fields={}, model="", makes_output=False)


def write_request(ask: Ask, _: Changes) -> bytes:
    """Return the client's bytes."""
    return ask.body


def _openai(name: str, path: str, operations: tuple[Operation, ...]) -> Dialect:
    return Dialect(
        name=name,
        path=path,
        operations=operations,
        read_request=read_request,
        write_request=write_request,
        read_answer=no_usage,
        read_count=no_count,
        tap=unread,
        error=error,
        fault=fault,
        model_list=model_list,
        crosses=False,
        modelless=True,
        opaque=True,
    )


def _anthropic(name: str, path: str, operations: tuple[Operation, ...]) -> Dialect:
    return Dialect(
        name=name,
        path=path,
        operations=operations,
        read_request=read_request,
        write_request=write_request,
        read_answer=no_usage,
        read_count=no_count,
        tap=unread,
        error=MESSAGES.error,
        fault=MESSAGES.fault,
        model_list=MESSAGES.model_list,
        crosses=False,
        modelless=True,
        opaque=True,
        passed_headers=MESSAGES.passed_headers,
        required_headers=MESSAGES.required_headers,
    )


FILES = _openai("files", "/files", OF_FILES)
BATCHES = _openai("batches", "/batches", OF_BATCHES)
MESSAGE_FILES = _anthropic("message_files", "/files", OF_FILES)
MESSAGE_BATCHES = _anthropic("message_batches", "/messages/batches", OF_MESSAGE_BATCHES)
