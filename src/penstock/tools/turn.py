"""One turn of any tool: start its process, read what it says, report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from penstock.errors import EnvironmentProblem
from penstock.model.outcome import Outcome, OutcomeKind, Usage
from penstock.process import api as process
from penstock.process.api import Command, End, FilterFactory, Stop
from penstock.process.environment import child_environment, find_executable, variables
from penstock.process.run import run
from penstock.redact.forms import REPLACEMENT
from penstock.tools.api import TurnReport, TurnRequest
from penstock.tools.streams import LineSplitter, decode_event

WALL_S = 1800.0
"""How long an AI tool may work on one turn when nothing else is configured, in seconds."""
IDLE_S = 300.0
"""How long it may stay silent, in seconds."""
SETTLE_S = 2.0
"""How long it may take to end itself after its terminal event, in seconds."""
TAIL_BYTES = 16 << 10
MESSAGE_CHARS = 2000
_PROBE = "x" * 12
"""What a named secret could look like, to ask whether a name names one."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How a tool's process is started. `argv` must hold no secret; limits are seconds.

    The turn's variables stand over `env`, and those that the user wrote down, `said`, over both.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    said: Mapping[str, str] = msgspec.field(default_factory=dict)
    stdin: Path | None = None
    cwd: Path | None = None
    wall_s: float = WALL_S
    idle_s: float | None = IDLE_S


@dataclass(slots=True, kw_only=True)
class Said:
    """What a tool has said so far. Readers add to it; `conclude` judges it.

    `terminal`: the event that ends the tool's work was read. `verdict` is the failure that it
    states, `hint` the last failure that the stream spoke of before. `content` is what the tool says
    in a structure of its own.
    """

    terminal: bool = False
    verdict: Outcome | None = None
    hint: Outcome | None = None
    usage: Usage = field(default_factory=Usage)
    message: str = ""
    events: int = 0
    unknown: int = 0
    content: dict[str, Any] = field(default_factory=dict)


class Reader(Protocol):
    """Understands the output of one tool, as it comes."""

    said: Said

    def feed(self, data: bytes) -> bool:
        """Take a piece of stdout; return True when there is nothing more to wait for."""
        ...

    def finish(self, ended: process.Outcome) -> Outcome | None:
        """Take the end of the process and return the failure it amounts to, None for success.

        Called only when the tool ended by itself or because `feed` returned True.
        """
        ...


class EventReader:
    """Reads a stream of JSON events; a subclass says what each of them means, in `take`."""

    def __init__(self) -> None:
        self.said = Said()
        self._lines = LineSplitter()
        self._error_lines = LineSplitter()
        self._failures = 0

    def take(self, event: dict[str, Any]) -> None:
        """Take notice of one event, in `said`."""
        raise NotImplementedError

    def feed(self, data: bytes) -> bool:
        """Take a piece of stdout; True after the terminal event or a failure that stays one."""
        for line in self._lines.feed(data):
            event = decode_event(line)
            if event is not None:
                self.said.events += 1
                self.take(event)
        return self.said.terminal or self.said.verdict is not None

    def take_error(self, line: str) -> None:
        """Take notice of a line on stderr, where few clients say anything that counts."""

    def feed_error(self, data: bytes) -> bool:
        """Take a piece of stderr; True after a failure that stays one."""
        for line in self._error_lines.feed(data):
            self.take_error(line.decode("utf-8", "replace"))
        return self.said.verdict is not None

    def fail(self, failure: Outcome, *, patience: int = 0) -> None:
        """Note a failure of a request, which the client may repeat `patience` times before it
        stands. Retrying is our affair; a rejected key stays rejected.
        """
        self._failures += 1
        self.said.hint = failure
        if failure.kind is OutcomeKind.AUTH or self._failures > patience:
            self.said.verdict = failure

    def recover(self) -> None:
        """Forget the failures of requests: the client has gone on."""
        self._failures, self.said.hint = 0, None


def launch_of(
    request: TurnRequest, argv: tuple[str, ...], env: Mapping[str, str], stdin: Path | None = None
) -> Launch:
    """Return how a turn's process is started, with the turn's limits or the usual ones."""
    return Launch(
        argv=argv,
        env=env,
        stdin=stdin,
        wall_s=request.wall_s or WALL_S,
        idle_s=request.idle_s or IDLE_S,
    )


def any_set(names: Iterable[str]) -> bool:
    """Tell whether one of these variables is in our environment, and not empty."""
    return any(variables().get(name) for name in names)


def missing(executable: str, install: str) -> str | None:
    """Return None when an executable is on the PATH, else a sentence with the way to install it."""
    if find_executable(executable, child_environment()):
        return None
    return f"{executable} is not on the PATH: {install}"


def run_turn(
    tool_id: str,
    launch: Launch,
    reader: Reader,
    request: TurnRequest,
    stop: Stop,
    make_filter: FilterFactory,
) -> TurnReport:
    """Run a tool's process to its end and report what it did and said."""
    ended = run(_command(launch, reader, request, make_filter), stop)
    signal = ended_by_us(ended, launch, reader.said) or reader.finish(ended)
    clean = _cleaner(make_filter)
    said = reader.said
    return TurnReport(
        tool_id=tool_id,
        argv=tuple(clean(arg) for arg in launch.argv),
        exit_code=ended.exit_code,
        duration_s=ended.duration_s,
        signal=_clean_outcome(signal, clean),
        usage=said.usage,
        message=clean((signal.message if signal else "") or said.message)[:MESSAGE_CHARS],
        tail=_tail(ended, clean),
        swept=ended.swept,
        events=said.events,
        unknown_events=said.unknown,
        content=_clean_members(said.content, clean),
    )


def ended_by_us(ended: process.Outcome, launch: Launch, said: Said) -> Outcome | None:
    """Return the outcome when the reason for the end was ours, None when the tool had its say."""
    last = f"; it last spoke of: {said.hint.message}" if said.hint else ""
    match ended.end:
        case End.INTERRUPTED:
            return Outcome(kind=OutcomeKind.CANCELED, message="stopped by the user")
        case End.NOT_FOUND:
            message = ended.error or f"{launch.argv[0]} is not installed"
            return Outcome(kind=OutcomeKind.NOT_INSTALLED, message=message)
        case End.NOT_STARTED:
            message = f"could not be started: {ended.error}"
            return Outcome(kind=OutcomeKind.CRASHED, message=message)
        case End.WALL_LIMIT if not said.terminal:
            message = f"not done within {launch.wall_s:g} s{last}"
            return Outcome(kind=OutcomeKind.TIMEOUT, message=message)
        case End.IDLE_LIMIT if not said.terminal:
            message = f"silent for {launch.idle_s or 0:g} s{last}"
            return Outcome(kind=OutcomeKind.IDLE, message=message)
        case _:
            return None


def died(ended: process.Outcome, *, evidence: str = "") -> Outcome:
    """Return the outcome of a process that ended without a word that anybody understands."""
    code = ended.exit_code
    if code == 0:
        return Outcome(
            kind=OutcomeKind.BAD_OUTPUT,
            message="ended with exit code 0 but without its terminal event",
            evidence=evidence,
        )
    how = f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    message = f"{how}: {evidence}" if evidence else how
    return Outcome(kind=OutcomeKind.CRASHED, message=message, evidence=evidence)


def last_line(*texts: str) -> str:
    """Return the last line that is not blank of the first text that has one."""
    for text in texts:
        for line in reversed(text.splitlines()):
            if line.strip():
                return line.strip()[:MESSAGE_CHARS]
    return ""


def own_home(request: TurnRequest, name: str) -> str:
    """Make this worker's own configuration folder for a tool (0700) and return its path.

    Raises EnvironmentProblem when it cannot be made.
    """
    folder = request.home / name
    with _writing(folder):
        private_folder(folder)
    return str(folder)


def private_folder(path: Path) -> None:
    """Make a folder and whatever it lies in, each for its owner only (0700). Raises OSError."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Write a whole file that only its owner may read; never through a symbolic link.

    Raises EnvironmentProblem when that fails, a full disk included.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with _writing(path), os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentProblem(f"{path} cannot be written: {error.strerror}") from error


def _command(
    launch: Launch, reader: Reader, request: TurnRequest, make_filter: FilterFactory
) -> Command:
    return Command(
        argv=launch.argv,
        cwd=launch.cwd or request.worktree,
        env={**launch.env, **request.env, **launch.said},
        stdin=launch.stdin,
        log=request.log,
        wall_s=launch.wall_s,
        idle_s=launch.idle_s,
        settle_s=SETTLE_S,
        marker=request.marker,
        sweep_cwd=request.worktree,
        make_filter=make_filter,
        on_log=request.on_log,
        on_start=request.on_start,
        on_stdout=reader.feed,
        on_stderr=reader.feed_error if isinstance(reader, EventReader) else None,
    )


def _cleaner(make_filter: FilterFactory) -> Callable[[str], str]:
    def clean(text: str) -> str:
        stream = make_filter()
        raw = stream.feed(text.encode("utf-8", "replace")) + stream.flush()
        return raw.decode("utf-8", "replace")

    return clean


def _clean_outcome(outcome: Outcome | None, clean: Callable[[str], str]) -> Outcome | None:
    if outcome is None:
        return None
    return msgspec.structs.replace(
        outcome,
        message=clean(outcome.message)[:MESSAGE_CHARS],
        evidence=clean(outcome.evidence)[:MESSAGE_CHARS],
    )


def _clean_value(value: object, clean: Callable[[str], str]) -> object:
    """Clean every text in a value that came from JSON."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return _clean_members(value, clean)
    return [_clean_value(each, clean) for each in value] if isinstance(value, list) else value


def _clean_members(members: Mapping[str, Any], clean: Callable[[str], str]) -> dict[str, Any]:
    """Clean an object; a text under a name that names a secret is one, whatever it looks like."""
    found: dict[str, Any] = {}
    for member, value in members.items():
        name = clean(str(member))
        line = f"{name}={_PROBE}"
        secret = isinstance(value, str) and value and clean(line) != line
        found[name] = REPLACEMENT if secret else _clean_value(value, clean)
    return found


def _tail(ended: process.Outcome, clean: Callable[[str], str]) -> str:
    """Return the ends of both streams; secrets go first, since a cut would hide what they are."""
    error = clean("\n".join(filter(None, (ended.error_text, ended.error))))
    half = TAIL_BYTES // 2
    out = clean(ended.text)[-(TAIL_BYTES - min(len(error), half)) :]
    return f"{out}\n{error[-half:]}" if error else out
