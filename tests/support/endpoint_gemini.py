"""The wire format of the Gemini API for the scripted model endpoint: generateContent."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.support.endpoint_plan import ReplyUsage
from tests.support.endpoint_wire import Ask, Json, Piece, Say, Wire, text_of


def read_gemini(body: Json) -> Ask:
    """Read a generateContent request; the model stands in its path."""
    contents: list[Json] = body.get("contents", [])
    parts = [part for content in contents for part in content.get("parts", [])]
    users = [content.get("parts") for content in contents if content.get("role") == "user"]
    declared = [each for tool in body.get("tools") or [] for each in _declared(tool)]
    return Ask(
        wire=Wire.GEMINI,
        model=str(body.get("model", "")),
        system=text_of((body.get("systemInstruction") or {}).get("parts")),
        prompt="\n".join(text_of(content) for content in users),
        tools=frozenset(declared),
        results=sum("functionResponse" in part for part in parts),
        stream=bool(body.get("stream")),
    )


def _declared(tool: Json) -> Iterator[str]:
    for function in tool.get("functionDeclarations") or []:
        yield str(function["name"])


def _usage(usage: ReplyUsage) -> Json:
    spoken = usage.output - usage.reasoning
    return {
        "promptTokenCount": usage.whole_input,
        "cachedContentTokenCount": usage.cached,
        "candidatesTokenCount": spoken,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": usage.whole_input + usage.output,
    }


def _part(say: Say) -> Json:
    if say.call is None:
        return {"text": say.text}
    return {"functionCall": {"name": say.call.name, "args": say.call.arguments}}


def gemini_whole(ask: Ask, say: Say, number: int) -> Json:
    """Return a generateContent response."""
    content = {"role": "model", "parts": [_part(say)]}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": _usage(say.usage),
        "modelVersion": ask.model,
        "responseId": f"reply-{number}",
    }


def gemini_pieces(ask: Ask, say: Say, number: int) -> Iterator[Piece]:
    """Yield a response in two pieces: what is said, then its end with the usage."""
    whole = gemini_whole(ask, say, number)
    content = whole["candidates"][0]["content"]
    begun = {"candidates": [{"content": content, "index": 0}], "modelVersion": ask.model}
    end = {
        "content": {"role": "model", "parts": [{"text": ""}]},
        "finishReason": "STOP",
        "index": 0,
    }
    yield Piece(json.dumps(begun))
    yield Piece(json.dumps({**whole, "candidates": [end]}))
