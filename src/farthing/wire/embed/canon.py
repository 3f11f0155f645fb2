"""The canonical model of embeddings: texts and what is made of them, of no vendor.

As in `farthing.wire.canon`, what a node's dialect alone understands stays in its `rest`, and how it
was spelled in its `form`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from farthing.wire.canon import Node
from farthing.wire.dialect import Usage

# What an embedding is for; "" when the client did not say.
Task = Literal[
    "",
    "query",
    "document",
    "similarity",
    "classification",
    "clustering",
    "question",
    "fact",
    "code",
]

Cut = Literal["", "none", "start", "end"]

# How numbers are written: "float" is a list of them; "base64" the bytes of 32-bit floats, the
# lowest first, as base64; the others are as their vendors define them.
FLOAT, BASE64 = "float", "base64"

# Forms of an input whose content, as its dialect writes it, stays in its `rest`: it is one text,
# several that are embedded as one, or nothing that is understood.
WHOLE, SEVERAL = "whole", "several"
MISSING = "missing"


class Input(Node):
    """One thing to embed."""

    text: str = ""
    tokens: list[int] | None = None
    """The text as numbers of one vendor's vocabulary, where the client sent it so."""
    title: str = ""


class Request(Node):
    """What is to be embedded, and how."""

    dialect: str
    model: str = ""
    inputs: list[Input] = msgspec.field(default_factory=list)
    dimensions: int | None = None
    kinds: list[str] = msgspec.field(default_factory=list)
    """The encodings asked for; none means floats."""
    task: Task = ""
    cut: Cut = ""
    """Where a text that is too long is cut; "none": it is refused."""
    user: str = ""


class Vector(Node):
    """One embedding, in one encoding or several."""

    values: dict[str, Any] = msgspec.field(default_factory=dict)
    """By encoding: a list of numbers, or text."""


class Response(Node):
    """The embeddings, in the order of the inputs."""

    dialect: str
    id: str = ""
    model: str = ""
    vectors: list[Vector] = msgspec.field(default_factory=list)
    usage: Usage | None = None
