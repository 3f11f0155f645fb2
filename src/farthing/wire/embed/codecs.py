"""The codecs of embeddings by dialect. Imported where a query crosses, not on the diagonal."""

from farthing.wire.embed import bedrock, cohere, gemini_codec, openai
from farthing.wire.embed.codec import EmbedCodec

CODECS: dict[str, EmbedCodec] = {
    codec.name: codec
    for codec in (
        openai.CODEC,
        gemini_codec.BATCH_CODEC,
        gemini_codec.CODEC,
        cohere.CODEC,
        bedrock.CODEC,
    )
}
