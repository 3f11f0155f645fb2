"""The wire: one folder for each dialect, and the parts they share. Pure: no input or output."""

from farthing.wire.chat import CHAT
from farthing.wire.converse import CONVERSE
from farthing.wire.counting import COUNTING
from farthing.wire.dialect import Dialect
from farthing.wire.embeddings import EMBEDDINGS
from farthing.wire.gemini import GEMINI
from farthing.wire.messages import MESSAGES
from farthing.wire.responses import RESPONSES
from farthing.wire.surfaces import SURFACES

ALL = (CHAT, MESSAGES, RESPONSES, GEMINI, CONVERSE, EMBEDDINGS, COUNTING, *SURFACES)
DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in ALL}
