"""The real clients, through their adapters, against the scripted model endpoint."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from penstock.model.outcome import OutcomeKind
from penstock.process.api import MARKER_VARIABLE
from tests.support.endpoint_plan import Fault, FaultKind, Plan, ReplyUsage, Turn, editing, status
from tests.support.real_turns import BROKEN, KEY, MODELS, Scene, scene

pytestmark = pytest.mark.real_cli

REPLIES = {"aider": 1, "claude-cli": 3, "codex": 2}
"""How many replies of the model each client needs for an edit and a last word."""
GOOD = "def add(a, b):\n    return a + b\n"
NEAR = "def add(a, b):\n    return a * b\n"
REPAIR = editing({"calc.py": GOOD})

every_client = pytest.mark.parametrize("client", sorted(REPLIES))
Play = Callable[[str, Plan], Scene]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Set a scene for a client and a plan; its end is checked after the test."""
    with ExitStack() as stack:
        yield lambda client, plan: stack.enter_context(scene(client, plan, tmp_path, monkeypatch))


def failing(*faults: Fault) -> Plan:
    """Return the plan of a repair that these faults come in between."""
    return Plan(REPAIR.turns, faults)


@every_client
def test_success(client: str, play: Play) -> None:
    """A turn that edits its file is `edited`, and the worktree holds nothing but the edit."""
    stage = play(client, REPAIR)
    done = stage.turn()
    assert done.outcome.kind is OutcomeKind.EDITED
    assert done.changed == ("calc.py",)
    assert stage.read() == GOOD
    assert done.report.unknown_events == 0


@every_client
def test_usage(client: str, play: Play) -> None:
    """Tokens are counted over all replies of a turn, and none of them twice."""
    used = ReplyUsage(input=100, output=50, cached=40, reasoning=10)
    done = play(client, Plan((Turn(edits={"calc.py": GOOD}, usage=used),))).turn()
    replies, tokens = REPLIES[client], done.report.usage
    assert tokens.input_tokens == 140 * replies
    assert tokens.output == 50 * replies
    if client != "aider":  # which does not know of cached tokens when it speaks to OpenAI
        assert tokens.cache_read == 40 * replies


@every_client
def test_two_fix_turns(client: str, play: Play) -> None:
    """Each FIX turn is a conversation of its own that builds on the file as the last one left it."""
    stage = play(client, editing({"calc.py": NEAR}, {"calc.py": NEAR + "\n"}, {"calc.py": GOOD}))
    for expected in (NEAR, NEAR + "\n", GOOD):
        assert stage.turn().outcome.kind is OutcomeKind.EDITED
        assert stage.read() == expected
        stage.commit()
    assert {asked.turn for asked in stage.endpoint.asks} == {0, 1, 2}


@every_client
def test_rejected_key(client: str, play: Play) -> None:
    """A key that the vendor rejects is `auth`, at once and without an edit."""
    stage = play(client, failing(status(401)))
    done = stage.turn()
    assert done.outcome.kind is OutcomeKind.AUTH
    assert done.changed == ()
    assert done.report.duration_s < 30


@every_client
def test_forbidden(client: str, play: Play) -> None:
    """A 403 is `auth` where the client tells the status, and a failure where it hides it."""
    done = play(client, failing(status(403))).turn()
    hidden = {OutcomeKind.AUTH, OutcomeKind.CRASHED, OutcomeKind.OVERLOADED}
    assert done.outcome.kind in (hidden if client == "aider" else {OutcomeKind.AUTH})
    assert done.changed == ()


@every_client
def test_rate_limit_then_success(client: str, play: Play) -> None:
    """After a 429 with Retry-After the client itself or a second turn makes the edit."""
    stage = play(client, failing(status(429, 1, retry_after_s=1)))
    done = stage.turn()
    if done.outcome.kind is OutcomeKind.RATE_LIMITED:
        assert done.changed == ()
        done = stage.turn()
    assert done.outcome.kind is OutcomeKind.EDITED
    assert stage.read() == GOOD


@every_client
@pytest.mark.parametrize("wait_s", [None, 2])
def test_rate_limit_for_ever(client: str, wait_s: int | None, play: Play) -> None:
    """A 429 that does not end is `rate_limited`, soon, and a stated end of it lies ahead."""
    began = time.time()
    done = play(client, failing(status(429, retry_after_s=wait_s))).turn()
    assert done.outcome.kind is OutcomeKind.RATE_LIMITED
    assert done.report.duration_s < 45
    assert done.outcome.reset_at is None or began < done.outcome.reset_at < time.time() + 60


@every_client
@pytest.mark.parametrize("code", [500, 529])
def test_server_errors_for_ever(client: str, code: int, play: Play) -> None:
    """A vendor that fails for ever is `overloaded`, before our wall limit."""
    done = play(client, failing(status(code))).turn()
    assert done.outcome.kind is OutcomeKind.OVERLOADED
    assert done.changed == ()
    assert done.report.duration_s < 45


@every_client
@pytest.mark.parametrize("kind", [FaultKind.NOT_JSON, FaultKind.EMPTY_OBJECT])
def test_malformed_reply(client: str, kind: FaultKind, play: Play) -> None:
    """A reply that is no reply is `bad_output`, whatever the exit code, and edits nothing."""
    done = play(client, failing(Fault(kind))).turn()
    assert done.outcome.kind is OutcomeKind.BAD_OUTPUT
    assert done.changed == ()


@every_client
def test_cut_reply(client: str, play: Play) -> None:
    """A connection that breaks each time is a failure of the vendor, not of the work."""
    done = play(client, failing(Fault(FaultKind.CUT))).turn()
    assert done.outcome.kind in (OutcomeKind.OVERLOADED, OutcomeKind.BAD_OUTPUT)
    assert done.changed == ()


@every_client
def test_hang_ends_at_the_wall_limit(client: str, play: Play) -> None:
    """A model that never answers costs a turn its wall limit and no more."""
    done = play(client, failing(Fault(FaultKind.HANG))).turn(wall_s=6)
    assert done.outcome.kind is OutcomeKind.TIMEOUT
    assert done.report.duration_s < 30


@every_client
def test_hang_ends_at_the_idle_limit(client: str, play: Play) -> None:
    """A client that waits in silence is ended by the idle limit."""
    done = play(client, failing(Fault(FaultKind.HANG, after=0))).turn(idle_s=6)
    assert done.outcome.kind in (OutcomeKind.IDLE, OutcomeKind.OVERLOADED)
    assert done.report.duration_s < 30


@every_client
def test_no_edit(client: str, play: Play) -> None:
    """A turn that ends well with an exit code of 0 and changed nothing is `no_change`."""
    done = play(client, Plan((Turn(text="Nothing needs to be changed."),))).turn()
    assert done.report.exit_code == 0
    assert done.outcome.kind is OutcomeKind.NO_CHANGE


@every_client
def test_out_of_scope_edit(client: str, play: Play) -> None:
    """An edit beside the files of the task is reported by its path, for the scope check to judge."""
    done = play(client, editing({"calc.py": GOOD, "other/extra.py": "x = 1\n"})).turn()
    assert done.outcome.kind is OutcomeKind.EDITED
    assert done.changed == ("calc.py", "other/extra.py")


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """A path that no client may write; the system's folder for temporary files is open to codex."""
    path = Path("/var/tmp", f"penstock-{uuid.uuid4().hex}.txt")
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("client", ["claude-cli", "codex"])
def test_denied_edit(client: str, play: Play, forbidden: Path) -> None:
    """An edit outside the worktree that the client denied is `denied`, though it exits with 0."""
    done = play(client, editing({str(forbidden): "x\n"})).turn()
    assert done.report.exit_code == 0
    assert done.outcome.kind is OutcomeKind.DENIED
    assert not forbidden.exists()


@pytest.mark.parametrize("client", ["claude-cli", "codex"])
def test_denied_then_edited(client: str, play: Play, forbidden: Path) -> None:
    """A denial on the way to an edit does not make the edit a failure."""
    done = play(client, editing({str(forbidden): "x\n", "calc.py": GOOD})).turn()
    assert done.outcome.kind is OutcomeKind.EDITED
    assert done.changed == ("calc.py",)


UNMATCHED = "calc.py\n```\n<<<<<<< SEARCH\nnot there\n=======\nx\n>>>>>>> REPLACE\n```"
UNENDED = "calc.py\n```\n<<<<<<< SEARCH\nnot there"


@pytest.mark.parametrize("text", [UNMATCHED, UNENDED])
def test_off_format_reply(text: str, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text from which aider can make no edit is `bad_output`, though it exits with 0."""
    monkeypatch.setenv("AIDER_EDIT_FORMAT", "diff")
    stage = play("aider", Plan((Turn(text=text),)))
    done = stage.turn()
    assert (done.report.exit_code, done.outcome.kind) == (0, OutcomeKind.BAD_OUTPUT)
    assert stage.read() == BROKEN


def test_prose_instead_of_an_edit(play: Play) -> None:
    """A model that only talks to aider has changed nothing, whatever it says."""
    done = play("aider", Plan((Turn(text="I have repaired calc.py."),))).turn()
    assert done.outcome.kind is OutcomeKind.NO_CHANGE


def test_search_replace_blocks(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """aider makes edits from blocks as well as from whole files."""
    monkeypatch.setenv("AIDER_EDIT_FORMAT", "diff")
    stage = play("aider", editing({"calc.py": GOOD, "extra.py": "x = 1\n"}))
    assert stage.turn().changed == ("calc.py", "extra.py")
    assert stage.read() == GOOD


@pytest.mark.parametrize("client", ["claude-cli", "codex"])
def test_command_of_the_client_is_ended_too(client: str, play: Play) -> None:
    """What a client started in a session of its own does not outlive the turn."""
    command = "tail -f calc.py"  # one that Claude Code runs without asking
    done = play(client, Plan((Turn(commands=(command,)),))).turn(wall_s=5)
    assert done.outcome.kind is OutcomeKind.TIMEOUT


def test_codex_keeps_the_key_from_its_commands(play: Play) -> None:
    """The commands of the model do not see the key, and no file of Codex's holds it."""
    stage = play("codex", Plan((Turn(commands=("env",)),)))
    done = stage.turn()
    assert done.report.exit_code == 0
    assert MARKER_VARIABLE in done.report.tail  # the environment was printed
    assert KEY not in done.report.tail


def test_default_model_of_codex(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that Codex takes by itself edits through a script, which is an edit as well."""
    monkeypatch.setitem(MODELS, "codex", None)
    stage = play("codex", REPAIR)
    assert stage.turn().outcome.kind is OutcomeKind.EDITED
    assert stage.read() == GOOD


@every_client
def test_stopped_by_the_user(client: str, play: Play) -> None:
    """A wish to stop ends a turn at once, as `canceled`, and nothing of it goes on."""
    stage = play(client, failing(Fault(FaultKind.HANG)))
    stage.stop_when(lambda: bool(stage.endpoint.asks))
    done = stage.turn()
    assert done.outcome.kind is OutcomeKind.CANCELED
    assert done.report.duration_s < 30


@every_client
def test_killed_from_outside(client: str, play: Play) -> None:
    """A client that somebody kills has `crashed`."""
    stage = play(client, failing(Fault(FaultKind.HANG)))
    stage.kill_when(lambda: bool(stage.endpoint.asks))
    assert stage.turn().outcome.kind is OutcomeKind.CRASHED


@every_client
def test_the_log_is_private(client: str, play: Play) -> None:
    """Everything that a client said is in the turn's log, which only its owner may read."""
    stage = play(client, Plan((Turn(text="A word of my own."),)))
    stage.turn()
    log = stage.root / "turn-0.log"
    assert "A word of my own." in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_claude_leaves_nothing_among_the_temporary_files(play: Play) -> None:
    """What Claude Code keeps of a working directory stays in the worker's own folder."""
    stage = play("claude-cli", Plan((Turn(commands=("echo hello",)),)))
    stage.turn()
    slug = "".join(c if c.isalnum() else "-" for c in str(stage.worktree))
    kept = [str(path.relative_to(stage.root)) for path in stage.root.rglob(slug)]
    assert kept != []
    assert all(path.startswith("worker/") for path in kept)
    assert list(Path("/tmp").glob(f"claude-*/{slug}")) == []
