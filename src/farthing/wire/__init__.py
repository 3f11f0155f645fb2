"""The wire: one folder for each dialect, and the parts they share. Pure: no input or output."""

from farthing.wire.chat import CHAT
from farthing.wire.dialect import Dialect
from farthing.wire.messages import MESSAGES

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (CHAT, MESSAGES)}
