"""All codecs by dialect. Imported where a query crosses, not on the diagonal."""

from farthing.wire.chat.codec import CODEC as CHAT
from farthing.wire.codec import Codec
from farthing.wire.converse.codec import CODEC as CONVERSE
from farthing.wire.gemini.codec import CODEC as GEMINI
from farthing.wire.messages.codec import CODEC as MESSAGES
from farthing.wire.responses.codec import CODEC as RESPONSES

CODECS: dict[str, Codec] = {
    codec.name: codec for codec in (CHAT, MESSAGES, RESPONSES, GEMINI, CONVERSE)
}
