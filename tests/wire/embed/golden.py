"""What each dialect of embeddings says of one question and its answer, and oddities of each."""

from __future__ import annotations

from typing import Any

TEXTS = ["four farthings", "make a penny"]
# Numbers that 32 bits hold exactly, so that base64 of them can be compared.
VECTORS = [[0.5, -0.25], [1.0, 0.125]]
PACKED = ["AAAAPwAAgL4=", "AACAPwAAAD4="]
TOKENS = 7

# A question with two texts, for documents, in 2 dimensions; one text where there can be but one.
REQUESTS: dict[str, dict[str, Any]] = {
    "embeddings": {
        "model": "m-embed",
        "input": TEXTS,
        "dimensions": 2,
        "encoding_format": "float",
        "input_type": "document",
    },
    "gemini-batch-embeddings": {
        "requests": [
            {
                "model": "models/m-embed",
                "content": {"parts": [{"text": text}]},
                "taskType": "RETRIEVAL_DOCUMENT",
                "outputDimensionality": 2,
            }
            for text in TEXTS
        ]
    },
    "gemini-embeddings": {
        "content": {"parts": [{"text": TEXTS[0]}]},
        "taskType": "RETRIEVAL_DOCUMENT",
        "outputDimensionality": 2,
    },
    "cohere-embeddings": {
        "model": "m-embed",
        "texts": TEXTS,
        "input_type": "search_document",
        "embedding_types": ["float"],
        "output_dimension": 2,
        "truncate": "NONE",
    },
    "bedrock-embeddings": {"inputText": TEXTS[0], "dimensions": 2},
}

RESPONSES: dict[str, dict[str, Any]] = {
    "embeddings": {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(VECTORS)
        ],
        "model": "m-embed",
        "usage": {"prompt_tokens": TOKENS, "total_tokens": TOKENS},
    },
    "gemini-batch-embeddings": {
        "embeddings": [{"values": vector} for vector in VECTORS],
        "usageMetadata": {"promptTokenCount": TOKENS},
    },
    "gemini-embeddings": {
        "embedding": {"values": VECTORS[0]},
        "usageMetadata": {"promptTokenCount": TOKENS},
    },
    "cohere-embeddings": {
        "id": "id-1",
        "texts": TEXTS,
        "embeddings": {"float": VECTORS},
        "response_type": "embeddings_by_type",
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": TOKENS}},
    },
    "bedrock-embeddings": {
        "embedding": VECTORS[0],
        "embeddingsByType": {"float": VECTORS[0]},
        "inputTextTokenCount": TOKENS,
    },
}

# How many inputs a dialect's question has above.
ONE = ("gemini-embeddings", "bedrock-embeddings")

# Requests that must come back as they were, whatever is in them.
ODD_REQUESTS: dict[str, list[dict[str, Any]]] = {
    "embeddings": [
        {},
        {"input": "x"},
        {"input": ["x"]},
        {"input": []},
        {"input": [1, 2]},
        {"input": [[1, 2], [3]]},
        {"input": ["x", [1]]},
        {"input": None, "model": "m"},
        {"input": [{"image": "…"}], "model": 7},
        {"input": "x", "encoding_format": "base64", "user": "u"},
        {"input": "x", "encoding_format": "base64_int8", "dimensions": None},
        {"input": "x", "input_type": "passage", "truncate": "END"},
        {"input": "x", "input_type": "weird", "provider": {"order": ["a"]}},
    ],
    "gemini-batch-embeddings": [
        {},
        {"requests": []},
        {"requests": [{"model": "bare", "content": {"parts": [{"text": "x"}], "role": "user"}}]},
        {"requests": [{"content": {"parts": [{"text": "x"}, {"text": "y"}]}, "title": "t"}]},
        {"requests": [{"content": {"parts": [{"inlineData": {"data": "", "mimeType": "a/b"}}]}}]},
        {"requests": [{"content": {"parts": []}}, {"content": {"parts": [{"text": ""}]}}]},
        {"requests": [{"taskType": "CLUSTERING"}, {"taskType": "CLASSIFICATION"}]},
        {"requests": [{"task_type": "CLUSTERING", "output_dimensionality": 9}], "other": 1},
        {"requests": [{"taskType": "NEW", "outputDimensionality": "9"}, {}]},
    ],
    "gemini-embeddings": [
        {},
        {"model": "models/m", "content": {"parts": [{"text": "x"}]}, "title": "t"},
        {"content": {"parts": [{"text": "x"}, {"fileData": {}}]}, "taskType": 3},
        {"content": "x", "embedContentConfig": {"taskType": "CLUSTERING"}},
    ],
    "cohere-embeddings": [
        {},
        {"texts": [], "model": "m"},
        {"texts": ["x"], "input_type": "search_query", "embedding_types": ["int8", "base64"]},
        {"texts": ["x"], "embedding_types": ["new"], "truncate": "MIDDLE", "input_type": "image"},
        {"texts": [1], "truncate": "END", "max_tokens": 5, "priority": 1},
        {"images": ["data:…"], "inputs": [{"content": [{"type": "text", "text": "x"}]}]},
    ],
    "bedrock-embeddings": [
        {},
        {"inputText": "x", "normalize": False, "embeddingTypes": ["float", "binary"]},
        {"inputText": 5, "embeddingTypes": [], "dimensions": "9"},
        {"texts": ["x", "y"], "input_type": "search_query", "truncate": "END"},
        {"texts": ["x"], "embedding_types": ["int8", "float"], "output_dimension": 256},
    ],
}

ODD_RESPONSES: dict[str, list[dict[str, Any]]] = {
    "embeddings": [
        {"data": []},
        {"data": [{"embedding": "AAAAPw==", "index": 0}], "id": "e", "model": "m", "created": 1},
        {"data": [{"embedding": [2], "index": 1}, {"embedding": [1], "index": 0}]},
        {"data": [{"embedding": [2]}], "usage": {"prompt_tokens": 1, "cost": 0.1}},
    ],
    "gemini-batch-embeddings": [
        {},
        {"embeddings": []},
        {"embeddings": [{"values": [1], "shape": [1]}, {}]},
    ],
    "gemini-embeddings": [{}, {"embedding": {}}, {"embedding": {"values": [1.5]}, "more": 1}],
    "cohere-embeddings": [
        {"embeddings": [[1], [2]], "response_type": "embeddings_floats"},
        {"embeddings": {"int8": [[1], [2]], "base64": ["x", "y"]}, "id": "i", "images": None},
    ],
    "bedrock-embeddings": [
        {"embedding": [1], "inputTextTokenCount": 1},
        {"embedding": [1], "embeddingsByType": {"binary": [0]}, "inputTextTokenCount": 1},
        {"embeddings": [[1]], "id": "i", "texts": ["x"], "response_type": "embeddings_floats"},
        {"embeddings": {"float": [[1]], "ubinary": [[2]]}, "response_type": "embeddings_by_type"},
    ],
}
