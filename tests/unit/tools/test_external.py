"""Programs that speak the open adapter protocol, good ones and bad ones, as real processes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import EnvironmentProblem
from penstock.model.outcome import Outcome
from penstock.model.outcome import OutcomeKind as Kind
from penstock.tools.api import TurnReport, TurnRequest, judge
from penstock.tools.external import (
    MAX_REPLY,
    ExternalAdapter,
    ExternalTool,
    decode_reply,
    judge_reply,
    launcher,
    request_object,
    unavailable,
)
from tests.support.turns import SECRET, files_of, marked, play, request_in

PACKAGED = Path(__file__).parents[3] / "src/penstock/registry/packaged/AIM_adapters"
GOOD = {"success": True, "message": "done", "content": {"files_modified": ["calc.py"]}}


@dataclass
class Bench:
    """Adapter programs in a folder of the test's own."""

    root: Path
    secrets: tuple[str, ...] = ()
    played: list[TurnRequest] = field(default_factory=list)

    def python(self, body: str, **changes: Any) -> TurnReport:
        """Run a Python program as an adapter."""
        path = self.root / "adapter.py"
        path.write_text(f"import json, os, sys, time\n{body}\n")
        return self.run(path, **changes)

    def run(self, path: Path, **changes: Any) -> TurnReport:
        """Run a program as an adapter."""
        request = request_in(self.root, **changes)
        self.played.append(request)
        adapter = ExternalAdapter(tool_id="mine", path=path, secrets=self.secrets)
        return play(ExternalTool(adapter), request)

    def kind(self, report: TurnReport) -> Kind:
        """Judge a report by what is in the worktree."""
        return judge(report.signal, changed=bool(files_of(self.played[-1].worktree))).kind


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench for adapter programs."""
    return Bench(tmp_path)


def saying(reply: object, code: int = 0) -> str:
    """Return a program that writes a reply and ends with an exit code."""
    return f"print(json.dumps(json.loads({json.dumps(reply)!r})))\nsys.exit({code})"


def test_the_request(bench: Bench) -> None:
    """The program reads what is asked of it, and its limits twice, as the protocol says."""
    report = bench.python(
        "r = json.load(sys.stdin)\nprint(json.dumps({'success': True, 'message': '', 'content': r}))",
        capability="refactoring", payload={"depth": 2}, wall_s=5.0, max_retries=1,
    )  # fmt: skip
    limits = {"timeout_ms": 5000, "max_retries": 1}
    payload = {"files": ["calc.py"], "prompt": "Repair calc.py.", "depth": 2, **limits}
    expected = {"capability": "refactoring", "payload": payload, "tool": "mine", **limits}
    assert report.content == expected
    assert report.signal is None


def test_a_turn_without_a_capability(tmp_path: Path) -> None:
    """A program that a bundle names as its tool is asked to generate code."""
    asked = request_object(request_in(tmp_path), "mine")
    assert asked["capability"] == "code_generation"


def test_an_edit(bench: Bench) -> None:
    """What the program changes in its working directory is an edit, with its content kept."""
    report = bench.python("open('calc.py', 'w').write('x')\n" + saying(GOOD))
    assert bench.kind(report) is Kind.EDITED
    assert (report.message, report.content) == ("done", GOOD["content"])


@pytest.mark.parametrize(
    ("content", "message", "kind"),
    [
        ({}, "it broke", Kind.CRASHED),
        ({}, "", Kind.CRASHED),
        ({"outcome": "quota"}, "no money", Kind.QUOTA),
        ({"outcome": "rate_limited", "reset_at": 99.0}, "wait", Kind.RATE_LIMITED),
        ({"outcome": "edited"}, "a lie", Kind.CRASHED),
        ({"outcome": "no such"}, "status 429", Kind.RATE_LIMITED),
        ({"exit_code": 124}, "late", Kind.TIMEOUT),
        ({"exit_code": 127}, "aider is not there", Kind.NOT_INSTALLED),
        ({"stderr": "litellm\nInvalid API key"}, "aider failed", Kind.AUTH),
        ({"exit_code": 1}, "Invalid JSON input", Kind.BAD_OUTPUT),
    ],
)
def test_stated_failures(content: dict[str, Any], message: str, kind: Kind) -> None:
    """The content may name the kind of a failure; else its exit code, then the words decide."""
    outcome = judge_reply({"success": False, "message": message, "content": content}, now=0.0)
    assert outcome is not None
    assert outcome.kind is kind
    assert outcome.message
    assert outcome.reset_at == content.get("reset_at")


def test_a_reply_counts_whatever_the_exit_code(bench: Bench) -> None:
    """A valid object is used on a non-zero exit, for success and for failure."""
    assert bench.python(saying(GOOD, code=3)).signal is None
    failed = bench.python(saying({"success": False, "message": "rate limit", "content": {}}, 3))
    assert bench.kind(failed) is Kind.RATE_LIMITED


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("print('{')", Kind.BAD_OUTPUT),
        ("pass", Kind.BAD_OUTPUT),
        ("print(json.dumps([1]))", Kind.BAD_OUTPUT),
        ("print(json.dumps({'success': 'yes'}))", Kind.BAD_OUTPUT),
        ("sys.exit('no module named x')", Kind.CRASHED),
        ("sys.exit('Invalid API key')", Kind.AUTH),
        ("os.kill(os.getpid(), 9)", Kind.CRASHED),
        ("sys.exit(124)", Kind.TIMEOUT),
        ("sys.stdout.buffer.write(b'\\xff' * 100)", Kind.BAD_OUTPUT),
        ("sys.stdout.buffer.write(b'[' * 100000)", Kind.BAD_OUTPUT),
    ],
)
def test_programs_that_break_the_protocol(body: str, kind: Kind, bench: Bench) -> None:
    """Without a valid object the end of the program decides, and never for success."""
    report = bench.python(body)
    assert bench.kind(report) is kind
    assert report.message


def test_messages_around_the_reply(bench: Bench) -> None:
    """The last line is the reply when there is talk before it; all of stdout may be one object."""
    assert bench.python("print('loading')\n" + saying(GOOD)).signal is None
    pretty = f"print(json.dumps(json.loads({json.dumps(GOOD)!r}), indent=2))"
    assert bench.python(pretty).message == "done"


def test_a_program_that_runs_out_of_time(bench: Bench) -> None:
    """Our limit ends it and what it started; the report has the exit code of a timeout."""
    report = bench.python("os.system('sleep 60 &'); time.sleep(60)", wall_s=1.0)
    assert (bench.kind(report), report.exit_code) == (Kind.TIMEOUT, 124)
    assert report.content == {"exit_code": 124}
    assert marked(bench.played[-1].marker) == []


def test_a_reply_without_an_end(bench: Bench) -> None:
    """A program that floods its stdout is ended long before memory is."""
    report = bench.python("while True: sys.stdout.write('x' * 65536)")
    assert bench.kind(report) is Kind.BAD_OUTPUT
    assert str(MAX_REPLY) in report.message


def test_only_declared_secrets(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program sees the keys that were declared for it and no others."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "hush")
    bench.secrets = ("OPENAI_API_KEY",)
    body = (
        "print(json.dumps({'success': True, 'message': '', 'content': {'env': dict(os.environ)}}))"
    )
    seen = bench.python(body).content["env"]
    assert seen["OPENAI_API_KEY"] == "hush"
    assert "hush" not in {value for name, value in seen.items() if name != "OPENAI_API_KEY"}


def test_secrets_are_masked_in_the_content(bench: Bench) -> None:
    """What the filter masks stands nowhere in the report, however deep it lay."""
    content = {"list": [{SECRET: SECRET}], "stdout": SECRET, "n": 1}
    report = bench.python(saying({"success": True, "message": SECRET, "content": content}))
    assert SECRET not in repr(report) + report.message
    assert report.content == {"list": [{"***": "***"}], "stdout": "***", "n": 1}


@pytest.mark.parametrize("name", ["gone.py", "plain.sh", "power.ps1"])
def test_programs_that_cannot_be_started(
    name: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that is gone, may not be run, or lacks PowerShell is not installed, and says so."""
    path = bench.root / name
    if name != "gone.py":
        path.write_text("")
    monkeypatch.setenv("PATH", str(bench.root))
    report = bench.run(path)
    assert bench.kind(report) is Kind.NOT_INSTALLED
    assert name in (unavailable(path) or "")
    assert report.message == unavailable(path)


def test_the_run_bit(bench: Bench) -> None:
    """Any other file is started by its run bit."""
    path = bench.root / "adapter"
    path.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{json.dumps(GOOD)}'\n")
    path.chmod(0o755)
    assert unavailable(path) is None
    assert bench.run(path).signal is None


def test_launchers() -> None:
    """Python starts its own files, PowerShell its own; no shell starts anything."""
    assert launcher(Path("/a/x.PY")) == (sys.executable, "/a/x.PY")
    assert launcher(Path("/a/x.ps1"))[:2] == ("pwsh", "-NoLogo")
    assert launcher(Path("/a/x")) == ("/a/x",)


def test_powershell_is_used_when_there(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PowerShell file is given to pwsh, which is kept from reporting home."""
    path = bench.root / "x.ps1"
    path.write_text("")
    pwsh = bench.root / "pwsh"
    reply = '{\\"success\\": true, \\"message\\": \\"$*\\", \\"content\\": {}}'
    pwsh.write_text(f'#!/bin/sh\n[ "$POWERSHELL_TELEMETRY_OPTOUT" = 1 ] && echo "{reply}"\n')
    pwsh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bench.root}:/usr/bin:/bin")
    report = bench.run(path)
    assert report.signal is None
    assert report.message.endswith(f"-NonInteractive -File {path}")


def test_a_request_that_cannot_be_written(bench: Bench) -> None:
    """A full or forbidden folder is our trouble, with the file named."""
    (bench.root / "prompt.request.json").mkdir()
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        bench.python(saying(GOOD))


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(raw: bytes) -> None:
    """Bytes of any kind are a reply or none, never an error."""
    reply = decode_reply(raw)
    assert reply is None or isinstance(judge_reply(reply, now=0.0), Outcome | None)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=4),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(max_size=4), inner, max_size=3))  # fmt: skip


@given(JSON, JSON)
def test_any_members_are_survived(message: Any, content: Any) -> None:
    """A reply whose members are of any kind is judged."""
    raw = json.dumps({"success": False, "message": message, "content": content}).encode()
    reply = decode_reply(raw)
    assert reply is not None
    assert judge_reply(reply, now=0.0) is not None


def test_the_packaged_example(bench: Bench) -> None:
    """The example that ships does its work and reports it."""
    request_in(bench.root).worktree.joinpath("calc.py").write_text("x = 1  \ny = 2\n")
    report = bench.run(PACKAGED / "AIM_example.py", capability="refactoring")
    assert (report.signal, report.content["files_modified"]) == (None, ["calc.py"])
    assert files_of(bench.played[-1].worktree) == {"calc.py": "x = 1\ny = 2\n"}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"capability": "planning"}, Kind.CRASHED),
        ({"files": ("gone.py",)}, Kind.CRASHED),
        ({"capability": "version"}, Kind.NO_CHANGE),
    ],
)
def test_the_example_says_why(changes: dict[str, Any], kind: Kind, bench: Bench) -> None:
    """The example refuses what it does not know, and tells its version."""
    report = bench.run(PACKAGED / "AIM_example.py", **changes)
    assert bench.kind(report) is kind
    assert report.message


def test_the_syntax_of_the_powershell_example() -> None:
    """The PowerShell example parses; it is run only where pwsh is installed."""
    language = pytest.importorskip("tree_sitter_powershell", reason="no parser of PowerShell")
    tree_sitter = pytest.importorskip("tree_sitter", reason="no parser of PowerShell")
    parser = tree_sitter.Parser(tree_sitter.Language(language.language()))
    source = (PACKAGED / "AIM_aider.ps1").read_bytes()
    assert not parser.parse(source).root_node.has_error
    assert parser.parse(source.rstrip().removesuffix(b"}")).root_node.has_error
