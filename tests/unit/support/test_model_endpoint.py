"""The scripted model endpoint: formats, plans and faults, as a bare HTTP client sees them."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping

import pytest

from tests.support.endpoint_plan import Fault, FaultKind, Plan, ReplyUsage, Turn, editing, status
from tests.support.model_endpoint import ModelEndpoint
from tests.unit.support.asking import Answer, chat, connect, messages, responses, send

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages?beta=true"
CLAUDE = ("Bash", "Read", "Edit", "Write")
CODEX = ("apply_patch", "exec_command")
USAGE = ReplyUsage(input=10, output=5, cached=3, cache_write=2, reasoning=1)


def ask_once(plan: Plan, path: str, body: Mapping[str, object]) -> Answer:
    """Ask an endpoint of its own for one reply."""
    with ModelEndpoint(plan) as endpoint:
        return send(endpoint, "POST", path, body)


def test_chat_reply_whole() -> None:
    """A chat reply without tools holds the last word and the usage with cached tokens in it."""
    answer = ask_once(Plan((Turn(text="Hello", usage=USAGE),)), CHAT, chat("hi")).json
    assert answer["choices"][0]["message"]["content"].strip() == "Hello"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["prompt_tokens"] == 15
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 3


def test_chat_reply_streamed() -> None:
    """A streamed chat reply ends with a chunk of usage and no choices, then [DONE]."""
    events = ask_once(Plan((Turn(usage=USAGE),)), CHAT, chat("hi", stream=True)).events
    assert [name for name, _ in events] == [None] * 4
    assert events[-2][1]["choices"] == []
    assert events[-2][1]["usage"]["completion_tokens"] == 5
    assert events[-1][1] == "[DONE]"


def test_chat_tool_call() -> None:
    """A chat client that is offered a shell gets its edit as a call of it."""
    body = chat("hi", ["Bash"])
    choice = ask_once(editing({"d/a.py": "x\n"}), CHAT, body).json["choices"][0]
    function = choice["message"]["tool_calls"][0]["function"]
    assert function["name"] == "Bash"
    assert "> d/a.py" in function["arguments"]
    assert choice["finish_reason"] == "tool_calls"


def test_responses_patch_then_last_word() -> None:
    """A responses client gets a freeform patch, then, with its result, the last word."""
    with ModelEndpoint(editing({"a.py": "x\n"})) as endpoint:
        first = send(endpoint, "POST", RESPONSES, responses("hi", CODEX)).json["output"][0]
        last = send(endpoint, "POST", RESPONSES, responses("hi", CODEX, results=1)).json
    assert first["type"] == "custom_tool_call"
    assert first["input"] == "*** Begin Patch\n*** Add File: a.py\n+x\n*** End Patch\n"
    assert last["output"][0]["content"][0]["text"] == "Done."


def test_responses_shell_without_patch_tool() -> None:
    """A model that is not offered apply_patch edits through the shell."""
    body = responses("hi", ["exec_command"])
    item = ask_once(editing({"a b.py": "it's\n"}), RESPONSES, body).json["output"][0]
    assert item["type"] == "function_call"
    assert "'a b.py'" in item["arguments"]


def test_responses_tools_in_the_input() -> None:
    """Tools that come in the input, in a namespace, are called by a script in JavaScript."""
    offered = {"type": "namespace", "name": "functions", "tools": [{"name": "exec"}]}
    body = responses("hi", [])
    body["input"].insert(0, {"type": "additional_tools", "role": "developer", "tools": [offered]})
    plan = Plan((Turn(commands=("make",), edits={"a.py": "x\n"}),))
    with ModelEndpoint(plan) as endpoint:
        first = send(endpoint, "POST", RESPONSES, body).json["output"][0]
        body["input"].append({"type": "custom_tool_call_output", "call_id": "x", "output": "ok"})
        second = send(endpoint, "POST", RESPONSES, body).json["output"][0]
    assert first["input"] == 'text(await tools.exec_command({"cmd": "make"}));'
    assert second["input"].startswith('text(await tools.apply_patch("*** Begin Patch\\n')


def test_responses_streamed() -> None:
    """A streamed response names its events and completes with the usage."""
    body = responses("hi", CODEX, stream=True)
    events = ask_once(Plan((Turn(usage=USAGE),)), RESPONSES, body).events
    assert events[0][0] == "response.created"
    assert events[-1][0] == "response.completed"
    assert events[-1][1]["response"]["usage"]["input_tokens"] == 15
    assert events[-1][1]["response"]["usage"]["output_tokens_details"]["reasoning_tokens"] == 1


def test_responses_takes_a_bare_prompt() -> None:
    """The input of a responses request may be a string."""
    plan = Plan((Turn(text="marked", when="needle"),))
    answer = ask_once(plan, RESPONSES, {"input": "a needle", "tools": [{"type": "web_search"}]})
    assert answer.json["output"][0]["content"][0]["text"] == "marked"


def test_messages_read_then_write() -> None:
    """Claude gets a Read before each Write, with absolute paths under its working directory."""
    with ModelEndpoint(editing({"a.py": "x\n"})) as endpoint:
        blocks = [
            send(endpoint, "POST", MESSAGES, messages("hi", CLAUDE, results=n)).json["content"][0]
            for n in range(3)
        ]
    assert [block.get("name") for block in blocks] == ["Read", "Write", None]
    assert blocks[1]["input"] == {"file_path": "/w/a.py", "content": "x\n"}
    assert blocks[2]["text"] == "Done."


def test_messages_streamed() -> None:
    """A streamed message gives its block in deltas, then stop reason and usage, then its end."""
    body = messages("hi", CLAUDE, stream=True)
    plan = Plan((Turn(edits={"a.py": "x\n"}, usage=USAGE),))
    events = dict(ask_once(plan, MESSAGES, body).events)
    assert events["content_block_delta"]["delta"]["partial_json"] == '{"file_path":"/w/a.py"}'
    assert events["message_delta"]["delta"]["stop_reason"] == "tool_use"
    assert events["message_delta"]["usage"]["cache_read_input_tokens"] == 3
    assert list(events)[-1] == "message_stop"


def test_messages_absolute_path_stays() -> None:
    """An absolute path in a plan is what the client is asked to write, inside or outside."""
    body = messages("hi", CLAUDE)
    block = ask_once(editing({"/else/a.py": "x\n"}), MESSAGES, body).json["content"][0]
    assert block["input"] == {"file_path": "/else/a.py"}


def test_commands_run_before_edits() -> None:
    """A turn's commands come first, by the shell that the client has."""
    plan = Plan((Turn(commands=("make",), edits={"a.py": "x\n"}),))
    with ModelEndpoint(plan) as endpoint:
        codex = send(endpoint, "POST", RESPONSES, responses("hi", CODEX)).json["output"][0]
        claude = send(endpoint, "POST", MESSAGES, messages("hi", CLAUDE)).json["content"][0]
    assert codex["arguments"] == '{"cmd":"make"}'
    assert claude["input"]["command"] == "make"


def test_text_client_gets_whole_files() -> None:
    """A text client that asks for no special format gets each file whole."""
    content = ask_once(editing({"a.py": "x\n"}), CHAT, chat("hi")).json
    assert content["choices"][0]["message"]["content"] == "a.py\n```\nx\n```\n\nDone."


def test_text_client_gets_search_replace() -> None:
    """A text client told of SEARCH/REPLACE blocks gets one that fits the file in its prompt."""
    body = chat("the files:\n\na.py\n```\nold\n```\n\nrepair it")
    body["messages"].insert(0, {"role": "system", "content": "Use *SEARCH/REPLACE* blocks"})
    content = ask_once(editing({"a.py": "x\n"}), CHAT, body).json["choices"][0]["message"][
        "content"
    ]
    assert content.startswith("a.py\n```\n<<<<<<< SEARCH\nold\n=======\nx\n>>>>>>> REPLACE\n```")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/models"), ("HEAD", "/api/hello")])
def test_side_requests(method: str, path: str) -> None:
    """Clients that look around before they ask are answered, and asked for no turn."""
    with ModelEndpoint() as endpoint:
        assert send(endpoint, method, path).status == 200
        assert (len(endpoint.requests), len(endpoint.asks)) == (1, 0)


def test_count_tokens() -> None:
    """A token count is about a quarter of the bytes."""
    answer = ask_once(Plan(), "/v1/messages/count_tokens", messages("x" * 400, ()))
    assert answer.json["input_tokens"] > 100


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_path(method: str) -> None:
    """A path that no API has is a 404."""
    with ModelEndpoint() as endpoint:
        assert send(endpoint, method, "/v2/else", {"a": 1}).status == 404


def test_chunked_request_body() -> None:
    """A request body may come in chunks, as some HTTP clients send it."""
    with ModelEndpoint() as endpoint:
        pieces = iter([b'{"model":"m","mess', b'ages":[{"role":"user","content":"hi"}]}'])
        assert send(endpoint, "POST", CHAT, pieces).status == 200
        logged = endpoint.asks[0].ask
    assert logged is not None
    assert logged.prompt == "hi"


def test_one_connection_serves_many_requests() -> None:
    """A connection stays open between requests, streamed replies included."""
    with ModelEndpoint() as endpoint:
        connection = connect(endpoint)
        for stream in (True, False, True):
            body = str(chat("hi", stream=stream)).replace("'", '"').replace("T", "t")
            connection.request("POST", CHAT, body.replace("False", "false"))
            assert connection.getresponse().read()
        connection.close()
        assert len(endpoint.asks) == 3


def play(endpoint: ModelEndpoint, prompt: str) -> str:
    """Play one turn of a text client, return what the model said."""
    answer = send(endpoint, "POST", CHAT, chat(prompt)).json
    return str(answer["choices"][0]["message"]["content"]).strip()


def test_turns_follow_each_other() -> None:
    """Each played turn makes the next one due, and the last one repeats."""
    with ModelEndpoint(Plan((Turn(text="one"), Turn(text="two")))) as endpoint:
        assert [play(endpoint, "hi") for _ in range(3)] == ["one", "two", "two"]
        assert [logged.turn for logged in endpoint.asks] == [0, 1, 1]


def test_marked_turns_have_an_order_of_their_own() -> None:
    """Turns with a marker text are due for prompts that hold it, apart from all others."""
    turns = (
        Turn(text="a1", when="WS-A"),
        Turn(text="b1", when="WS-B"),
        Turn(text="a2", when="WS-A"),
    )
    with ModelEndpoint(Plan((*turns, Turn(text="rest")))) as endpoint:
        said = [play(endpoint, text) for text in ("WS-A", "WS-B", "WS-A", "none", "WS-B")]
    assert said == ["a1", "b1", "a2", "rest", "b1"]


def test_a_call_does_not_end_a_turn() -> None:
    """A turn goes on until its last word went out, even when the client begins anew."""
    with ModelEndpoint(editing({"a.py": "x\n"}, {"b.py": "y\n"})) as endpoint:
        for _ in range(3):
            send(endpoint, "POST", RESPONSES, responses("hi", CODEX))
        send(endpoint, "POST", RESPONSES, responses("hi", CODEX, results=1))
        item = send(endpoint, "POST", RESPONSES, responses("fix", CODEX)).json["output"][0]
    assert "b.py" in item["input"]


@pytest.mark.parametrize("code", [401, 403, 429, 500, 529])
def test_status_fault(code: int) -> None:
    """An HTTP fault has the status, the error shape of all APIs, and lasts as long as it says."""
    with ModelEndpoint(Plan(faults=(status(code, 2),))) as endpoint:
        answers = [send(endpoint, "POST", MESSAGES, messages("hi", CLAUDE)) for _ in range(3)]
    assert [answer.status for answer in answers] == [code, code, 200]
    assert answers[0].json["error"]["message"].startswith(f"scripted {code}: ")
    assert "retry-after" not in answers[0].headers


def test_retry_after() -> None:
    """A fault with a waiting time sends it as the Retry-After header."""
    answer = ask_once(Plan(faults=(status(429, retry_after_s=7),)), CHAT, chat("hi"))
    assert answer.headers["retry-after"] == "7"


def test_fault_for_ever_keeps_the_turn() -> None:
    """A fault without a count hits every request, and no turn counts as played."""
    with ModelEndpoint(Plan(faults=(status(500),))) as endpoint:
        codes = {send(endpoint, "POST", CHAT, chat("hi")).status for _ in range(5)}
        assert {logged.turn for logged in endpoint.asks} == {0}
    assert codes == {500}


def test_faults_come_in_order_and_late() -> None:
    """Faults are used up in their order; one may wait for good replies before it."""
    faults = (
        status(401, 1),
        status(500, 1, retry_after_s=1),
        Fault(FaultKind.EMPTY_OBJECT, 1, after=1),
    )
    with ModelEndpoint(Plan(faults=faults)) as endpoint:
        answers = [send(endpoint, "POST", CHAT, chat("hi")) for _ in range(5)]
    assert [answer.status for answer in answers] == [401, 500, 200, 200, 200]
    assert [answer.body == b"{}" for answer in answers] == [False, False, False, True, False]


def test_not_json() -> None:
    """A malformed reply is a 200 that no JSON parser takes."""
    answer = ask_once(Plan(faults=(Fault(FaultKind.NOT_JSON),)), CHAT, chat("hi"))
    with pytest.raises(ValueError, match="Expecting value"):
        _ = answer.json
    assert answer.status == 200


@pytest.mark.parametrize("stream", [True, False])
def test_cut_reply(stream: bool) -> None:
    """A cut reply breaks off in the middle, streamed or not."""
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask_once(
            Plan(faults=(Fault(FaultKind.CUT),)), MESSAGES, messages("hi", CLAUDE, stream=stream)
        )
    assert (b"content_block_start" in caught.value.partial) is stream


def test_hang_ends_with_the_endpoint() -> None:
    """A hanging request gets no answer, and neither it nor its thread outlives the endpoint."""
    before = threading.active_count()
    with ModelEndpoint(Plan(faults=(Fault(FaultKind.HANG),))) as endpoint:
        with pytest.raises(TimeoutError):
            send(endpoint, "POST", CHAT, chat("hi"), timeout=0.2)
        assert endpoint.asks[0].fault is FaultKind.HANG
    assert threading.active_count() == before


def test_slow_reply() -> None:
    """A slow reply is whole, and takes its wait before each piece."""
    started = time.monotonic()
    plan = Plan(faults=(Fault(FaultKind.SLOW, delay_s=0.05),))
    events = ask_once(plan, CHAT, chat("hi", stream=True)).events
    assert events[-1][1] == "[DONE]"
    assert time.monotonic() - started >= 0.2


def test_open_connections_end_with_the_endpoint() -> None:
    """A client that keeps its connection open does not keep the endpoint from ending."""
    with ModelEndpoint() as endpoint:
        connection = connect(endpoint)
        connection.request("GET", "/v1/models")
        connection.getresponse().read()
        started = time.monotonic()
    assert time.monotonic() - started < 5
    connection.close()


def lost_reply(endpoint: ModelEndpoint, body: Mapping[str, object]) -> None:
    """Send a request that gets no answer because the endpoint cannot play its plan."""
    with pytest.raises(http.client.HTTPException):
        send(endpoint, "POST", MESSAGES, body)


def test_own_mistake_is_raised_at_the_end() -> None:
    """A plan that a client cannot play is no silent failure: the with block raises."""
    body = {"messages": [], "tools": [{"name": name} for name in CLAUDE]}
    endpoint = ModelEndpoint(editing({"a.py": "x\n"}))
    with pytest.raises(ValueError, match="no working directory"), endpoint:
        lost_reply(endpoint, body)


def test_many_at_once() -> None:
    """Requests at the same time all get their reply, and all are logged."""
    with ModelEndpoint() as endpoint:
        threads = [threading.Thread(target=play, args=(endpoint, "hi")) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(endpoint.asks) == 20
