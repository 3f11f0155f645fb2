"""The wire: one folder for each dialect, and the parts they share. Pure: no input or output."""

from farthing.wire.chat import CHAT
from farthing.wire.converse import CONVERSE
from farthing.wire.count import dialects as counting
from farthing.wire.dialect import Dialect
from farthing.wire.embed.bedrock import BEDROCK_EMBEDDINGS
from farthing.wire.embed.cohere import COHERE_EMBEDDINGS
from farthing.wire.embed.gemini import GEMINI_BATCH_EMBEDDINGS, GEMINI_EMBEDDINGS
from farthing.wire.embed.openai import EMBEDDINGS
from farthing.wire.gemini import GEMINI
from farthing.wire.messages import MESSAGES
from farthing.wire.responses import RESPONSES
from farthing.wire.surfaces import SURFACES

EMBEDDING = (
    EMBEDDINGS,
    GEMINI_BATCH_EMBEDDINGS,
    GEMINI_EMBEDDINGS,
    COHERE_EMBEDDINGS,
    BEDROCK_EMBEDDINGS,
)
ALL = (CHAT, MESSAGES, RESPONSES, GEMINI, CONVERSE, *EMBEDDING, *counting.ALL, *SURFACES)
DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in ALL}
