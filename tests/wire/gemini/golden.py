"""Golden cases in the shapes that the vendor documents; each is written back as it was read."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

SEAL = "c2lnbmF0dXJl"
SPOKEN = {"role": "user", "parts": [{"text": "Hi"}]}
USAGE = {
    "promptTokenCount": 20,
    "cachedContentTokenCount": 8,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 3,
    "totalTokenCount": 28,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 20}],
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CITY_IN_CAPITALS = {
    "type": "OBJECT",
    "properties": {"city": {"type": "STRING", "nullable": True}},
    "required": ["city"],
}


def ask(*parts: Any, **fields: Any) -> JSON:
    return {"contents": [{"role": "user", "parts": list(parts)} if parts else SPOKEN], **fields}


def call(args: JSON | None = None, name: str = "weather", **more: Any) -> JSON:
    return {"name": name, "args": {"city": "Bern"} if args is None else args, **more}


def result(response: JSON, name: str = "weather", **more: Any) -> JSON:
    return {"name": name, "response": response, **more}


def answer(*parts: Any, **fields: Any) -> JSON:
    content = {"role": "model", "parts": list(parts) or [{"text": "Hello"}]}
    candidate = {"content": content, "finishReason": "STOP", "index": 0, **fields}
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "gemini-2.5-flash"}


def piece(*parts: Any, usage: JSON | None = None, **fields: Any) -> JSON:
    content = {"role": "model", "parts": list(parts)}
    told = {} if usage is None else {"usageMetadata": usage}
    return {
        "candidates": [{"content": content, "index": 0, **fields}],
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r1",
        **told,
    }


REQUESTS: dict[str, JSON] = {
    "plain": ask(),
    "nothing": {},
    "no contents": {"contents": []},
    "sampling": ask(
        generationConfig={
            "maxOutputTokens": 100,
            "temperature": 1,
            "topP": 0.9,
            "topK": 40.0,
            "candidateCount": 2,
            "stopSequences": ["."],
            "seed": 7,
            "presencePenalty": -0.5,
            "frequencyPenalty": 0.5,
            "responseLogprobs": True,
            "logprobs": 3,
            "responseModalities": ["TEXT"],
        }
    ),
    "empty settings": ask(
        generationConfig={"stopSequences": [], "seed": None}, tools=[], labels={}
    ),
    "system": ask(systemInstruction={"role": "user", "parts": [{"text": "Be brief."}]}),
    "system in snake case": ask(
        system_instruction={"parts": [{"text": "Be brief.", "thought": False}]},
        generation_config={"max_output_tokens": 5, "thinking_config": {"thinking_budget": 0}},
    ),
    "cached": ask(
        cachedContent="cachedContents/1",
        safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        labels={"team": "a"},
    ),
    "media": ask(
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}, "thought": False},
        {"inline_data": {"mime_type": "audio/wav", "data": "Ukl_-w=="}},
        {"fileData": {"file_uri": "gs://b/a.pdf", "mime_type": "application/pdf"}},
        {"fileData": {"fileUri": "https://youtu.be/x"}, "videoMetadata": {"fps": 1}},
        {"fileData": {"fileUri": "https://a.example/b.png", "mimeType": "image/png"}},
    ),
    "tools": ask(
        tools=[
            {
                "functionDeclarations": [
                    {"name": "a", "description": "A.", "parameters": CITY_IN_CAPITALS},
                    {"name": "b", "description": None, "parametersJsonSchema": CITY},
                    {
                        "name": "c",
                        "description": "",
                        "parameters": {"type": 6},
                        "behavior": "BLOCKING",
                    },
                ],
                "codeExecution": None,
            },
            {"googleSearch": {}},
            {"function_declarations": [{"name": "d"}], "urlContext": {}},
        ],
        toolConfig={
            "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["a"]},
            "retrievalConfig": {"languageCode": "de"},
        },
    ),
    "some tools": ask(
        tools=[{"functionDeclarations": []}],
        tool_config={
            "function_calling_config": {"mode": "any", "allowed_function_names": ["a", "b"]}
        },
    ),
    "tool loop": {
        "contents": [
            SPOKEN,
            {
                "role": "model",
                "parts": [
                    {"text": "Let me think.", "thought": True},
                    {"functionCall": call(), "thoughtSignature": SEAL},
                    {"functionCall": call({"city": "Rom"})},
                    {"function_call": {"name": "now", "id": "x"}, "thought_signature": SEAL},
                ],
            },
            {
                "role": "function",
                "parts": [
                    {"functionResponse": result({"output": "Rain"})},
                    {"functionResponse": result({"temperature": 20.5, "sky": ["blue"]})},
                    {"functionResponse": result({"error": "No clock"}, "now", id="x", parts=[])},
                ],
            },
        ]
    },
    "result with media": ask(
        {
            "functionResponse": {
                "name": "draw",
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}, {}],
            }
        }
    ),
    "code": ask(
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
    ),
    "schema": ask(
        generationConfig={"responseMimeType": "application/json", "responseJsonSchema": CITY}
    ),
    "schema in capitals": ask(generationConfig={"response_schema": CITY_IN_CAPITALS}),
    "schema that mixes": ask(
        generationConfig={
            "response_mime_type": "application/json",
            "response_schema": {"type": "OBJECT", "properties": {"type": {"type": "string"}}},
        }
    ),
    "json": ask(generationConfig={"responseMimeType": "application/json"}),
    "enumeration": ask(
        generationConfig={
            "responseMimeType": "text/x.enum",
            "responseSchema": {"type": "STRING", "enum": ["a"]},
        }
    ),
    "plain text": ask(generationConfig={"responseMimeType": "text/plain"}),
    "thinking": ask(
        generationConfig={"thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True}}
    ),
    "thinking level": ask(
        generationConfig={"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": False}}
    ),
}

ANSWERS: dict[str, JSON] = {
    "plain": {**answer(), "responseId": "r1", "createTime": "2026-01-02T03:04:05.678901Z"},
    "bare": {},
    "no content": {"candidates": [{"finishReason": "MAX_TOKENS"}], "usageMetadata": {}},
    "no parts": {"candidates": [{"content": {"role": "model"}, "index": 0, "finishReason": 2}]},
    "thoughts and calls": answer(
        {"text": "Hm.", "thought": True},
        {"functionCall": call(), "thoughtSignature": SEAL},
        {"functionCall": call(id="f2")},
        finishMessage="Model generated function call(s).",
    ),
    "blocked": {
        "promptFeedback": {"blockReason": "SAFETY", "safetyRatings": []},
        "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4},
    },
    "grounded": answer(
        {"text": "Zürich ist schön."},
        groundingMetadata={
            "webSearchQueries": ["zürich"],
            "groundingChunks": [{"web": {"uri": "https://z.example", "title": "Z"}}, {}],
            "groundingSupports": [
                {
                    "segment": {"endIndex": 7, "text": "Zürich"},
                    "groundingChunkIndices": [0, 1, 2, "a"],
                    "confidenceScores": [0.5],
                }
            ],
        },
    ),
    "cited": answer(citationMetadata={"citations": [{}, {"uri": "https://a.example"}]}),
    "log-probabilities": answer(
        avgLogprobs=-0.1,
        logprobsResult={
            "chosenCandidates": [{"token": "Hello", "tokenId": 5, "logProbability": -0.1}],
            "topCandidates": [{"candidates": [{"token": "Hi", "logProbability": -2}]}],
        },
    ),
    "two": {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "a"}]}, "index": 0},
            {"content": {"parts": [{"text": "b"}]}, "index": 1, "finishReason": "RECITATION"},
        ]
    },
    "image": answer({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}),
}

STREAMS: dict[str, list[Any]] = {
    "text": [
        piece({"text": "Hel"}, usage=USAGE),
        piece({"text": "lo"}),
        piece({"text": "", "thoughtSignature": SEAL}, usage=USAGE, finishReason="STOP"),
    ],
    "thoughts and calls": [
        piece({"text": "Hm", "thought": True}),
        piece({"text": ".", "thought": True}, {"text": "So"}, {"text": ":"}),
        piece({"functionCall": call(), "thoughtSignature": SEAL}, {"functionCall": call()}),
        piece({"text": ""}, usage=USAGE, finishReason="STOP", finishMessage="Called."),
    ],
    "a call in pieces": [
        piece({"functionCall": {"name": "weather", "willContinue": True}}),
        piece(
            {
                "functionCall": {
                    "partialArgs": [
                        {"jsonPath": "$.city", "stringValue": "Be", "willContinue": True},
                        {"jsonPath": "$.days[0]", "numberValue": 1},
                    ],
                    "willContinue": True,
                }
            }
        ),
        piece(
            {
                "functionCall": {
                    "partialArgs": [{"jsonPath": "$.city", "stringValue": "rn"}],
                    "willContinue": True,
                }
            }
        ),
        piece({"functionCall": {}}, usage=USAGE, finishReason="STOP"),
    ],
    "a call broken off": [
        piece({"functionCall": {"name": "weather", "willContinue": True}}),
        piece({"text": "No."}, finishReason="OTHER"),
    ],
    "two answers": [
        {"candidates": [{"content": {"parts": [{"text": "a"}]}, "index": 1}]},
        {"candidates": [{"content": {"parts": [{"text": "b"}]}}, {"index": 0}, {"index": 1}]},
        {"candidates": [{"finishReason": "STOP"}, {"index": 1, "finishReason": 3}]},
        {"usageMetadata": USAGE},
    ],
    "grounded": [
        piece({"text": "Zürich "}, groundingMetadata={}),
        piece(
            {"text": "ist schön."},
            groundingMetadata=ANSWERS["grounded"]["candidates"][0]["groundingMetadata"],
            logprobsResult={"chosenCandidates": [{"token": "ist", "logProbability": -1.5}]},
            finishReason="STOP",
        ),
    ],
    "blocked": [{"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": USAGE}],
    "an image and code": [
        piece({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}),
        piece({"executableCode": {"language": "PYTHON", "code": "1"}}, finishReason="STOP"),
    ],
    "an error": [
        piece({"text": "a"}),
        {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}},
    ],
    "no slices": ["[DONE]", None, {}, {"candidates": []}, {"candidates": None}],
}

PROBLEMS: dict[str, tuple[int, Any]] = {
    "plain": (429, {"error": {"code": 429, "message": "Slow", "status": "RESOURCE_EXHAUSTED"}}),
    "details": (
        400,
        {
            "error": {
                "code": 400,
                "message": "Bad key",
                "status": "INVALID_ARGUMENT",
                "details": [{"@type": "t"}, {"@type": "e", "reason": "API_KEY_INVALID"}],
            }
        },
    ),
    "other code": (502, {"error": {"code": 500, "message": "No"}, "trace": 1}),
    "list": (404, [{"error": {"code": 404, "message": "No model", "status": "NOT_FOUND"}}]),
    "text": (502, "Bad gateway"),
    "nothing": (500, None),
    "another shape": (500, {"error": "no"}),
}
