"""The three wire formats of the scripted model endpoint: read a request, write a reply.

OpenAI chat completions and responses, and Anthropic messages, each streamed as server-sent events
or whole. A request becomes an Ask, a reply is made from a Say; nothing here knows of plans.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.support.endpoint_plan import ReplyUsage

Json = Mapping[str, Any]


class Wire(StrEnum):
    """The API that a client speaks."""

    CHAT = "chat"
    RESPONSES = "responses"
    MESSAGES = "messages"
    GEMINI = "gemini"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for a reply. `results` counts the tool results it carries: the turn's progress."""

    wire: Wire
    model: str
    system: str
    prompt: str
    tools: frozenset[str]
    results: int
    stream: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; `arguments` is an object, or free text for a tool that takes such."""

    name: str
    arguments: Json | str


@dataclass(frozen=True, slots=True)
class Say:
    """A reply: a tool call, or text when `call` is None. `last` marks the last one of a turn."""

    text: str
    usage: ReplyUsage
    call: Call | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One server-sent event; `name` is None where the API sends data lines only."""

    data: str
    name: str | None = None

    def encode(self) -> bytes:
        """Return it as it goes over the wire."""
        head = f"event: {self.name}\n" if self.name else ""
        return f"{head}data: {self.data}\n\n".encode()


def text_of(content: Any) -> str:
    """Return the text in a message's content: a string, or a list of text parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(p["text"] for p in parts if isinstance(p, dict) and "text" in p)


def read_chat(body: Json) -> Ask:
    """Read a chat completions request."""
    messages: list[Json] = body.get("messages", [])
    tools = [tool["function"]["name"] for tool in body.get("tools") or []]
    return Ask(
        wire=Wire.CHAT,
        model=str(body.get("model", "")),
        system="\n".join(text_of(m.get("content")) for m in messages if m["role"] == "system"),
        prompt="\n".join(text_of(m.get("content")) for m in messages if m["role"] == "user"),
        tools=frozenset(tools),
        results=sum(m["role"] == "tool" for m in messages),
        stream=bool(body.get("stream")),
    )


def _tool_names(tools: Iterable[Json]) -> Iterator[str]:
    """Yield the names of tools, of those in a namespace too."""
    for tool in tools:
        if "tools" in tool:
            yield from _tool_names(tool["tools"])
        else:
            yield str(tool.get("name", tool.get("type")))


def read_responses(body: Json) -> Ask:
    """Read a responses request."""
    given = body.get("input", [])
    items: list[Json] = [{"role": "user", "content": given}] if isinstance(given, str) else given
    user = [text_of(i.get("content")) for i in items if i.get("role") == "user"]
    # Codex offers the tools of its newer models in the input
    more = [i for i in items if i.get("type") == "additional_tools"]
    return Ask(
        wire=Wire.RESPONSES,
        model=str(body.get("model", "")),
        system=str(body.get("instructions", "")),
        prompt="\n".join(user),
        tools=frozenset(_tool_names([*(body.get("tools") or []), *more])),
        results=sum(str(i.get("type", "")).endswith("call_output") for i in items),
        stream=bool(body.get("stream")),
    )


def read_messages(body: Json) -> Ask:
    """Read an Anthropic messages request."""
    messages: list[Json] = body.get("messages", [])
    users = [m.get("content") for m in messages if m["role"] == "user"]
    # Claude Code tells the model its surroundings in a message of the role system
    told = [text_of(m.get("content")) for m in messages if m["role"] == "system"]
    parts = [p for content in users if isinstance(content, list) for p in content]
    return Ask(
        wire=Wire.MESSAGES,
        model=str(body.get("model", "")),
        system="\n".join([text_of(body.get("system", "")), *told]),
        prompt="\n".join(text_of(content) for content in users),
        tools=frozenset(str(tool["name"]) for tool in body.get("tools") or []),
        results=sum(p.get("type") == "tool_result" for p in parts),
        stream=bool(body.get("stream")),
    )


READERS: Mapping[Wire, Callable[[Json], Ask]] = {
    Wire.CHAT: read_chat,
    Wire.RESPONSES: read_responses,
    Wire.MESSAGES: read_messages,
}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _arguments(call: Call) -> str:
    return call.arguments if isinstance(call.arguments, str) else _json(call.arguments)


# --- chat completions ---------------------------------------------------------------------------


def _chat_usage(usage: ReplyUsage) -> Json:
    return {
        "prompt_tokens": usage.whole_input,
        "completion_tokens": usage.output,
        "total_tokens": usage.whole_input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _chat_message(say: Say, number: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": say.text}
    if say.call is not None:
        function = {"name": say.call.name, "arguments": _arguments(say.call)}
        call = {"index": 0, "id": f"call_{number}", "type": "function", "function": function}
        message["tool_calls"] = [call]
    return message


def _chat_frame(ask: Ask, number: int, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": 1700000000, "model": ask.model}


def chat_whole(ask: Ask, say: Say, number: int) -> Json:
    """Return a chat completion."""
    finish = "tool_calls" if say.call else "stop"
    choice = {"index": 0, "message": _chat_message(say, number), "finish_reason": finish}
    frame = _chat_frame(ask, number, "chat.completion")
    return {**frame, "choices": [choice], "usage": _chat_usage(say.usage)}


def chat_pieces(ask: Ask, say: Say, number: int) -> Iterator[Piece]:
    """Yield a chat completion in chunks: the message, its end, the usage, `[DONE]`."""
    frame = _chat_frame(ask, number, "chat.completion.chunk")
    end = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if say.call else "stop"}
    delta = {"index": 0, "delta": _chat_message(say, number), "finish_reason": None}
    yield Piece(_json({**frame, "choices": [delta]}))
    yield Piece(_json({**frame, "choices": [end]}))
    yield Piece(_json({**frame, "choices": [], "usage": _chat_usage(say.usage)}))
    yield Piece("[DONE]")


# --- responses ----------------------------------------------------------------------------------


def _item(say: Say, number: int) -> Json:
    if say.call is None:
        content = [{"type": "output_text", "text": say.text, "annotations": []}]
        return {
            "type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed",
            "content": content,
        }  # fmt: skip
    named = {"id": f"item_{number}", "call_id": f"call_{number}", "name": say.call.name}
    if isinstance(say.call.arguments, str):
        return {"type": "custom_tool_call", **named, "input": say.call.arguments}
    return {"type": "function_call", **named, "arguments": _arguments(say.call)}


def responses_whole(ask: Ask, say: Say, number: int) -> Json:
    """Return a response object."""
    usage = {
        "input_tokens": say.usage.whole_input,
        "input_tokens_details": {"cached_tokens": say.usage.cached},
        "output_tokens": say.usage.output,
        "output_tokens_details": {"reasoning_tokens": say.usage.reasoning},
        "total_tokens": say.usage.whole_input + say.usage.output,
    }
    return {
        "id": f"resp_{number}", "object": "response", "status": "completed", "model": ask.model,
        "output": [_item(say, number)], "usage": usage,
    }  # fmt: skip


def responses_pieces(ask: Ask, say: Say, number: int) -> Iterator[Piece]:
    """Yield a response as its events, from created to completed."""
    whole = responses_whole(ask, say, number)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    added, done = "response.output_item.added", "response.output_item.done"
    item = whole["output"][0]
    for name, content in (
        ("response.created", {"response": begun}),
        (added, {"output_index": 0, "item": item}),
        (done, {"output_index": 0, "item": item}),
        ("response.completed", {"response": whole}),
    ):
        yield Piece(_json({"type": name, **content}), name)


# --- messages -----------------------------------------------------------------------------------


def _messages_usage(usage: ReplyUsage) -> Json:
    return {
        "input_tokens": usage.input,
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": usage.cache_write,
        "output_tokens": usage.output,
    }


def _blocks(say: Say, number: int) -> list[Json]:
    if say.call is None:
        return [{"type": "text", "text": say.text}]
    use = {"type": "tool_use", "id": f"toolu_{number:08d}", "name": say.call.name}
    return [{**use, "input": say.call.arguments}]


def messages_whole(ask: Ask, say: Say, number: int) -> Json:
    """Return an Anthropic message."""
    return {
        "id": f"msg_{number:08d}", "type": "message", "role": "assistant", "model": ask.model,
        "content": _blocks(say, number), "stop_reason": "tool_use" if say.call else "end_turn",
        "stop_sequence": None, "usage": _messages_usage(say.usage),
    }  # fmt: skip


def _block_delta(block: Json) -> tuple[Json, Json]:
    if block["type"] == "text":
        return {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
    delta = {"type": "input_json_delta", "partial_json": _json(block["input"])}
    return {**block, "input": {}}, delta


def messages_pieces(ask: Ask, say: Say, number: int) -> Iterator[Piece]:
    """Yield an Anthropic message as its events, from message_start to message_stop."""
    whole = messages_whole(ask, say, number)
    begun = {**whole, "content": [], "stop_reason": None}
    start, delta = _block_delta(whole["content"][0])
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    for name, content in (
        ("message_start", {"message": begun}),
        ("content_block_start", {"index": 0, "content_block": start}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": end, "usage": whole["usage"]}),
        ("message_stop", {}),
    ):
        yield Piece(_json({"type": name, **content}), name)


WHOLE: Mapping[Wire, Callable[[Ask, Say, int], Json]] = {
    Wire.CHAT: chat_whole,
    Wire.RESPONSES: responses_whole,
    Wire.MESSAGES: messages_whole,
}
PIECES: Mapping[Wire, Callable[[Ask, Say, int], Iterator[Piece]]] = {
    Wire.CHAT: chat_pieces,
    Wire.RESPONSES: responses_pieces,
    Wire.MESSAGES: messages_pieces,
}
