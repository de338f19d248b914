"""A bare HTTP client of the scripted model endpoint: what the real clients send, in small."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.model_endpoint import ModelEndpoint


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str | None, Any]]:
        """The server-sent events, each with its name and decoded data."""
        return [_event(block) for block in self.body.decode().split("\n\n") if block]


def _event(block: str) -> tuple[str | None, Any]:
    lines = block.splitlines()
    name = lines[0].removeprefix("event: ") if lines[0].startswith("event: ") else None
    data = lines[-1].removeprefix("data: ")
    return name, data if data == "[DONE]" else json.loads(data)


def connect(endpoint: ModelEndpoint, timeout: float = 10.0) -> http.client.HTTPConnection:
    """Open a connection; `timeout` is in seconds."""
    return http.client.HTTPConnection(urlsplit(endpoint.base_url).netloc, timeout=timeout)


def send(
    endpoint: ModelEndpoint,
    method: str,
    path: str,
    body: Mapping[str, Any] | Iterable[bytes] | None = None,
    timeout: float = 10.0,
) -> Answer:
    """Send one request on a connection of its own; an iterable of bytes goes in chunks."""
    connection = connect(endpoint, timeout)
    try:
        data = json.dumps(body) if isinstance(body, Mapping) else body
        connection.request(method, path, data, {"Content-Type": "application/json"})
        response = connection.getresponse()
        headers = {k.lower(): v for k, v in response.getheaders()}
        return Answer(response.status, headers, response.read())
    finally:
        connection.close()


def _tools(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def chat(prompt: str, tools: Iterable[str] = (), results: int = 0, **more: Any) -> dict[str, Any]:
    """Return a chat completions request."""
    told = [{"role": "tool", "tool_call_id": "x", "content": "ok"}] * results
    offered = [{"type": "function", "function": tool} for tool in _tools(tools)]
    messages = [{"role": "user", "content": prompt}, *told]
    return {"model": "m", "messages": messages, "tools": offered, **more}


def responses(prompt: str, tools: Iterable[str], results: int = 0, **more: Any) -> dict[str, Any]:
    """Return a responses request."""
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
    told = [{"type": "function_call_output", "call_id": "x", "output": "ok"}] * results
    return {"model": "m", "input": [said, *told], "tools": _tools(tools), **more}


def messages(prompt: str, tools: Iterable[str], results: int = 0, **more: Any) -> dict[str, Any]:
    """Return an Anthropic messages request of a client that works in /w."""
    told = [{"type": "tool_result", "tool_use_id": "x", "content": "ok"}] * results
    said = [{"role": "user", "content": [{"type": "text", "text": prompt}, *told]}]
    system = [{"type": "text", "text": "Primary working directory: /w\n"}]
    return {"model": "m", "system": system, "messages": said, "tools": _tools(tools), **more}
