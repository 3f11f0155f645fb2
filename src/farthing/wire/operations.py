"""What OpenTelemetry's conventions call the operation that a dialect asks for.

gen_ai.operation.name, semantic conventions v1.41.1: "If one of them applies, then the respective
value MUST be used; otherwise, a custom value MAY be used". The custom ones are the dialects' names.
"""

from __future__ import annotations

from farthing.wire import EMBEDDING
from farthing.wire.chat import CHAT
from farthing.wire.converse import CONVERSE
from farthing.wire.gemini import GEMINI
from farthing.wire.messages import MESSAGES
from farthing.wire.responses import RESPONSES
from farthing.wire.surfaces.completions import COMPLETIONS

_OPERATIONS = {
    **{dialect.name: "chat" for dialect in (CHAT, MESSAGES, RESPONSES, CONVERSE)},
    GEMINI.name: "generate_content",
    COMPLETIONS.name: "text_completion",
    **{dialect.name: "embeddings" for dialect in EMBEDDING},
}


def operation(dialect: str) -> str:
    """Return the name of what a dialect's requests ask for."""
    return _OPERATIONS.get(dialect, dialect)
