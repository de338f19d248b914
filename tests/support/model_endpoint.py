"""A model endpoint on loopback that plays a plan: real clients talk to it as to their vendor.

It serves OpenAI chat completions and responses, Anthropic messages and Gemini's generateContent,
streamed or not, with the usage and the faults that the plan names, and keeps a log of all requests. It holds no state of
the conversation: how far a turn has come is read from the tool results in each request, so a
client may repeat requests, keep or drop connections and start again as it likes.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support import endpoint_gemini as gemini
from tests.support import endpoint_wire as openai
from tests.support.endpoint_moves import next_say
from tests.support.endpoint_plan import Fault, FaultKind, Plan
from tests.support.endpoint_wire import Ask, Piece, Say, Wire

READERS = {**openai.READERS, Wire.GEMINI: gemini.read_gemini}
WHOLE = {**openai.WHOLE, Wire.GEMINI: gemini.gemini_whole}
PIECES = {**openai.PIECES, Wire.GEMINI: gemini.gemini_pieces}
_ROUTES: Mapping[str, Wire] = {
    "/chat/completions": Wire.CHAT,
    "/responses": Wire.RESPONSES,
    "/messages": Wire.MESSAGES,
    ":generateContent": Wire.GEMINI,
    ":streamGenerateContent": Wire.GEMINI,
}
_ERRORS: Mapping[int, tuple[str, str]] = {
    401: ("authentication_error", "Invalid API key"),
    403: ("permission_error", "Request not allowed"),
    429: ("rate_limit_error", "Too many requests"),
    500: ("api_error", "Internal server error"),
    529: ("overloaded_error", "Overloaded"),
}
"""The type and the words that vendors send with a status."""
_MAX_BODY = 64 << 20


@dataclass(frozen=True, slots=True)
class Logged:
    """One request as it came in, and what it got. `ask` is None when it asked for no reply."""

    at: float
    method: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None
    turn: int | None = None
    fault: FaultKind | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Due:
    """What the plan holds for one request."""

    turn: int
    say: Say
    number: int
    fault: Fault | None


class Stage:
    """Where the plan stands: which faults are used up, how often each group of turns was played."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._faults = list(plan.faults)
        self._hits: Counter[int] = Counter()
        self._played: Counter[int] = Counter()
        self._good = 0
        self._number = 0

    def due(self, ask: Ask) -> Due:
        """Return what a request gets, and use up a fault if one is due."""
        group = self._plan.group(ask.prompt)
        with self._lock:
            self._number += 1
            turn = group[min(self._played[group[0]], len(group) - 1)]
            fault = self._next_fault()
            return Due(turn, next_say(self._plan.turns[turn], ask), self._number, fault)

    def served(self, ask: Ask, due: Due) -> None:
        """Count a reply that went out whole; the last word of a turn ends it."""
        with self._lock:
            self._good += 1
            if due.say.last:
                self._played[self._plan.group(ask.prompt)[0]] += 1

    def _next_fault(self) -> Fault | None:
        for index, fault in enumerate(self._faults):
            left = fault.times is None or self._hits[index] < fault.times
            if left and self._good >= fault.after:
                self._hits[index] += 1
                return fault
        return None


class _Server(ThreadingHTTPServer):
    """A server whose end leaves neither a thread nor an open connection."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, owner: ModelEndpoint) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `hang_up` can end it."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has come to its own end."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Keep our own mistakes for the end; clients may hang up as they like."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.owner.errors.append(error)

    def hang_up(self) -> None:
        """End every connection, so that the threads reading from them end too."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it was closed by its own thread in the meantime


class ModelEndpoint:
    """The scripted model endpoint; use it as a context manager.

    `base_url` has no trailing slash and no `/v1`: OpenAI clients add `/v1`. `requests` is the log
    so far, `asks` the part of it that asked the model for a reply. A mistake of the endpoint itself
    (a plan that the client cannot play, say) is raised at the end of the `with` block.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        self.stage = Stage(plan or Plan())
        self.released = threading.Event()
        self.errors: list[BaseException] = []
        self._log: list[Logged] = []
        self._log_lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if error is None and self.errors:
            raise self.errors[0]

    def close(self) -> None:
        """End the server, the requests that hang included."""
        self.released.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        """The address, as http://127.0.0.1:PORT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> tuple[Logged, ...]:
        """All requests so far, in the order of their arrival."""
        with self._log_lock:
            return tuple(self._log)

    @property
    def asks(self) -> tuple[Logged, ...]:
        """The requests that asked for a reply of the model."""
        return tuple(logged for logged in self.requests if logged.ask is not None)

    def note(self, logged: Logged) -> None:
        """Add a request to the log."""
        with self._log_lock:
            self._log.append(logged)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet: the endpoint has a log of its own."""

    def do_HEAD(self) -> None:
        """Answer the reachability check of Claude Code."""
        self._note()
        self._send(200, b"")

    def do_GET(self) -> None:
        """Answer a list of models."""
        self._note()
        if self._route().endswith("/models"):
            model = {"id": "scripted", "object": "model", "type": "model"}
            self._send_json(200, {"object": "list", "data": [model], "has_more": False})
        else:
            self._send_error(404)

    def do_POST(self) -> None:
        """Answer a request for a reply, or a token count."""
        raw = self._read_body()
        body = json.loads(raw) if raw else {}
        if self._route().endswith("/count_tokens"):
            self._note(body)
            self._send_json(200, {"input_tokens": len(raw) // 4})
            return
        wire = next((w for end, w in _ROUTES.items() if self._route().endswith(end)), None)
        if wire is None:
            self._note(body)
            self._send_error(404)
            return
        named = self._named_in_path() if wire is Wire.GEMINI else {}
        self._reply(READERS[wire]({**body, **named}), body)

    def _reply(self, ask: Ask, body: Mapping[str, Any]) -> None:
        due = self.server.owner.stage.due(ask)
        fault = due.fault
        code = fault.status if fault and fault.kind is FaultKind.STATUS else 200
        kind = fault.kind if fault else None
        self._note(body, ask=ask, turn=due.turn, fault=kind, status=code)
        if fault is None or fault.kind is FaultKind.SLOW:
            self._serve(ask, due, fault.delay_s if fault else 0.0)
        else:
            self._fail(ask, due, fault)

    def _serve(self, ask: Ask, due: Due, delay_s: float) -> None:
        pieces = list(PIECES[ask.wire](ask, due.say, due.number)) if ask.stream else []
        if ask.stream:
            self._begin_stream()
        for piece in pieces[:-1]:
            self._wait(delay_s)
            self._chunk(piece.encode())
        self._wait(delay_s)
        # counted before the last byte goes out, for the client may be back before we are
        self.server.owner.stage.served(ask, due)
        if ask.stream:
            self._chunk(pieces[-1].encode())
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._send_json(200, WHOLE[ask.wire](ask, due.say, due.number))

    def _fail(self, ask: Ask, due: Due, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.STATUS:
                self._send_error(fault.status, fault.retry_after_s)
            case FaultKind.NOT_JSON:
                self._send(200, b"<html>The service is resting.</html>")
            case FaultKind.EMPTY_OBJECT:
                self._send_json(200, {})
            case FaultKind.CUT:
                self._cut(ask, due, fault.pieces)
            case _:
                self.server.owner.released.wait()
                self.close_connection = True

    def _cut(self, ask: Ask, due: Due, pieces: int) -> None:
        self.close_connection = True
        if ask.stream:
            self._begin_stream()
            for piece in _first(PIECES[ask.wire](ask, due.say, due.number), pieces):
                self._chunk(piece.encode())
            return
        whole = json.dumps(WHOLE[ask.wire](ask, due.say, due.number)).encode()
        self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(whole))})
        self.wfile.write(whole[: len(whole) // 2])

    def _wait(self, seconds: float) -> None:
        if seconds:
            self.server.owner.released.wait(seconds)

    # --- the HTTP side ---

    def _named_in_path(self) -> Mapping[str, Any]:
        """Return what the Gemini API tells in the path and others in the body."""
        model, _, method = self._route().rpartition("/")[2].partition(":")
        return {"model": model, "stream": method.startswith("stream")}

    def _route(self) -> str:
        return self.path.partition("?")[0]

    def _note(self, body: Mapping[str, Any] | None = None, **more: Any) -> None:
        logged = Logged(time.time(), self.command, self.path, body or {}, **more)
        self.server.owner.note(logged)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._read_chunks())
        return self.rfile.read(min(int(self.headers.get("Content-Length", 0)), _MAX_BODY))

    def _read_chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _head(self, code: int, headers: Mapping[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, code: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        size = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._head(code, {**size, **(headers or {})})
        self.wfile.write(body)

    def _send_json(self, code: int, value: Mapping[str, Any]) -> None:
        self._send(code, json.dumps(value).encode())

    def _send_error(self, code: int, retry_after_s: int | None = None) -> None:
        kind, words = _ERRORS.get(code, ("api_error", "Nothing here"))
        error = {"type": kind, "message": f"scripted {code}: {words}", "code": kind}
        wait = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        self._send(code, json.dumps({"type": "error", "error": error}).encode(), wait)

    def _begin_stream(self) -> None:
        self._head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def _first(pieces: Iterator[Piece], count: int) -> Iterator[Piece]:
    for _, piece in zip(range(count), pieces, strict=False):
        yield piece
