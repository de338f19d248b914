"""What the scripted model endpoint plays: turns, replies, usage and faults, all plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ReplyUsage:
    """The tokens that one reply reports; `cached` and `cache_write` are parts of the input.

    Counted disjointly: `input` leaves both cached kinds out. The wire formats add them up again
    where the real API does so.
    """

    input: int = 120
    output: int = 30
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @property
    def whole_input(self) -> int:
        """All input tokens, cached ones included, as OpenAI counts them."""
        return self.input + self.cached + self.cache_write


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model does from one prompt to its last word.

    `edits` maps a path to the whole new text of the file: relative to the client's working
    directory, or absolute, or leading out of it (which a client may then deny). `commands` are
    shell lines that run before the edits, for clients that are offered a shell. `text` is the
    model's last word; a text client (aider) gets nothing else when there are no edits.
    A turn with `when` is due only for prompts that hold this text.
    """

    edits: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    text: str = "Done."
    when: str | None = None
    usage: ReplyUsage = field(default_factory=ReplyUsage)


class FaultKind(StrEnum):
    """How a request goes wrong."""

    STATUS = "status"  # an HTTP error with the error shape that all clients read
    NOT_JSON = "not_json"  # 200 with text that is no JSON
    EMPTY_OBJECT = "empty_object"  # 200 with {}
    CUT = "cut"  # the connection breaks after some pieces of the reply
    HANG = "hang"  # the request is taken and never answered
    SLOW = "slow"  # the right reply, with a wait before each piece


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that hits `times` requests for a reply, or every one when `times` is None.

    It begins after `after` good replies. `retry_after_s` is sent as the Retry-After header,
    `delay_s` is the wait of SLOW before each piece, `pieces` is what CUT still lets through.
    """

    kind: FaultKind
    times: int | None = None
    status: int = 500
    retry_after_s: int | None = None
    pieces: int = 2
    delay_s: float = 0.2
    after: int = 0


def status(code: int, times: int | None = None, *, retry_after_s: int | None = None) -> Fault:
    """Return a fault that answers with an HTTP status code."""
    return Fault(FaultKind.STATUS, times, status=code, retry_after_s=retry_after_s)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole script: turns in their order and the faults that come in between.

    A request belongs to the turns whose `when` stands in its prompt, else to those without one.
    Within such a group the next turn is due each time one was played to its last word, whether or
    not the client kept its process: a request that is sent again after a fault gets the same
    turn again. The last turn of a group repeats. Faults are used up in their order.
    """

    turns: tuple[Turn, ...] = (Turn(),)
    faults: tuple[Fault, ...] = ()

    def group(self, prompt: str) -> tuple[int, ...]:
        """Return the indexes of the turns that a prompt may get."""
        marked = [t.when for t in self.turns if t.when is not None and t.when in prompt]
        wanted = marked[0] if marked else None
        return tuple(i for i, turn in enumerate(self.turns) if turn.when == wanted)


def editing(*edits: Mapping[str, str], when: str | None = None) -> Plan:
    """Return a plan with one turn for each set of edits."""
    return Plan(turns=tuple(Turn(edits=each, when=when) for each in edits))
