"""The kill campaign: runs that are killed and resumed until they end, and what is held of them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.support.campaign_end import Result, integrity, problems, result_of
from tests.support.campaign_kills import KILLERS
from tests.support.campaign_life import Lives, Order, standing
from tests.support.campaign_work import make_project, make_slow, slow_git
from tests.support.repos import state_of

LIFE_S = 120.0
"""A life that takes longer has hung."""
SHARES = 4
"""Over how many runs the boundaries are spread, so that no attempt is lost too often in one."""
MOST_LIVES = 400


class CampaignFailure(AssertionError):  # noqa: N818 - what is said of the run, not of us
    """A run did not end as it would have without kills, or something of it was left behind."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is killed.

    A life dies at the first of `boundaries` that it reaches, or it is killed by one of `kinds` at
    a random moment of its first `horizon_s` (s); after `most_kills` it is left alone. `slow` lets
    git sleep, its locks in hand; `load` keeps two processors busy.
    """

    number: int
    seed: str
    boundaries: tuple[str, ...] = ()
    share: tuple[int, int] | None = None
    kinds: tuple[str, ...] = ()
    horizon_s: float = 0.8
    most_kills: int = 60
    slow: bool = False
    load: bool = False
    max_parallel: int = 1

    @property
    def kind(self) -> str:
        """What the run's kills are called where the kind is not drawn for each."""
        return "boundary" if self.boundaries else "none"


@dataclass
class Tally:
    """What a campaign has done so far. `recoveries` are seconds from resume to the first attempt."""

    runs: int = 0
    lives: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    git_errors: int = 0
    recoveries: list[float] = field(default_factory=list)
    died_at: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


@dataclass
class Campaign:
    """A place to work in, a process that forks lives, and what the undisturbed run came to."""

    folder: Path
    lives: Lives
    tally: Tally
    max_parallel: int
    boundaries: tuple[str, ...] = ()
    wanted: Result | None = None

    def prepare(self) -> None:
        """Make the repository that all runs are copies of, and run one undisturbed."""
        make_project(self.folder / "template")
        run = self.run(Plan(number=0, seed="undisturbed", max_parallel=self.max_parallel))
        self.wanted = result_of(run.root)
        keys = (line["key"] for line in run.notes() if line["at"] == "boundary")
        self.boundaries = tuple(dict.fromkeys(keys))
        shutil.rmtree(run.folder)

    def run(self, plan: Plan, *, keep: bool = False) -> Run:
        """Carry out a plan; the repository is kept when wanted, or when not all is well.

        Raises CampaignFailure.
        """
        run = Run(plan, self.folder / f"run-{plan.number}", self)
        run.set_up()
        with loaded(plan.load):
            run.live_to_the_end()
        self.tally.runs += 1
        if self.wanted is not None:
            run.verify()
            if not keep:
                shutil.rmtree(run.folder)
        return run


class Run:
    """One repository and the lives that work in it."""

    def __init__(self, plan: Plan, folder: Path, campaign: Campaign) -> None:
        self.plan, self.folder, self.campaign = plan, folder, campaign
        self.root = folder / "project"
        self.rng = random.Random(plan.seed)
        self.kills = 0
        self.story: list[str] = []
        self.before: dict[str, bytes] = {}

    def set_up(self) -> None:
        """Lay a fresh copy of the repository."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        shutil.copytree(self.campaign.folder / "template", self.root, symlinks=True)
        self.root = self.root.resolve()
        if self.plan.slow:
            make_slow(self.root)
            slow_git(self.folder / "bin")
        self.before = state_of(self.root)

    @property
    def tools_died(self) -> bool:
        """Tell whether a tool was killed, which is a failure of the tool."""
        return "tool" in self.plan.kinds

    def notes(self) -> list[dict[str, Any]]:
        """Return what lives have noted."""
        path = self.folder / "notes"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [msgspec.json.decode(line) for line in lines]

    def live_to_the_end(self) -> None:
        """Run, and resume after each death, until the run has ended."""
        for _ in range(MOST_LIVES):
            if (stands := standing(self.root)) == "ended":
                return
            code, kind = self._life(resume=stands == "open")
            self._account(code, kind)
            self.fail_on([f"journal: {text}" for text in integrity(self.root) if text != "ok"])
        self.fail_on([f"not ended after {MOST_LIVES} lives"])

    def verify(self) -> None:
        """Raise CampaignFailure when the end is not that of the undisturbed run."""
        wanted = self.campaign.wanted
        assert wanted is not None
        self.fail_on(problems(self.root, self.before, wanted, tools_died=self.tools_died))

    def _life(self, *, resume: bool) -> tuple[int, str]:
        """Live one life and return how it ended, and what it was to die of."""
        lives, plan = self.campaign.lives, self.plan
        noted = len(self.notes())
        kind = self.rng.choice(plan.kinds) if self._is_to_die() else plan.kind
        pid = lives.begin(self._order(resume=resume))
        self.campaign.tally.lives += 1
        if kind in KILLERS:
            killed = KILLERS[kind](lives, pid, self.rng, plan.horizon_s, self.root)
            self._count(kind, killed)
        code = lives.ended(LIFE_S)
        if code is None:
            os.kill(pid, signal.SIGKILL)
            lives.ended(LIFE_S)
            self.fail_on([f"a life hung for {LIFE_S:g} s"])
        lived = self.notes()[noted:]
        self.fail_on([f"outlived its life: {x['who']}" for x in lived if x["at"] == "survivor"])
        self._note_recovery(lived, resumed=resume)
        return code or 0, kind

    def _is_to_die(self) -> bool:
        return bool(self.plan.kinds) and self.kills < self.plan.most_kills

    def _count(self, kind: str, killed: Sequence[str]) -> None:
        name = f"{kind}, under load" if self.plan.load else kind
        self.campaign.tally.kills[name] += len(killed)
        self.kills += len(killed)
        self.story += [f"{kind}: {what}" for what in killed]

    def _order(self, *, resume: bool) -> Order:
        plan, died = self.plan, self._deaths()
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}" if plan.slow else None
        return Order(
            root=str(self.root),
            notes=str(self.folder / "notes"),
            said=str(self.folder / "said"),
            resume=resume,
            max_parallel=plan.max_parallel,
            boundaries=tuple(key for key in plan.boundaries if key not in died),
            share=plan.share,
            known=self.campaign.boundaries if plan.share else (),
            died=tuple(died),
            path=path,
        )

    def _deaths(self) -> set[str]:
        return {line["key"] for line in self.notes() if line["at"] == "dies"}

    def _account(self, code: int, kind: str) -> None:
        """Tell a death that was ordered from a recovery that failed."""
        last = (self.notes() or [{"at": "nothing"}])[-1]
        if code == 0:
            return
        if code == -signal.SIGKILL and last["at"] == "dies":
            self.kills += 1
            self.story.append(last["key"])
            self.campaign.tally.kills[last["key"].split()[0] + " a boundary"] += 1
            self.campaign.tally.died_at.add(last["key"])
        elif code != -signal.SIGKILL:
            known = kind == "git" and last["at"] == "error" and last["kind"] == "GitError"
            self.campaign.tally.git_errors += known
            self.fail_on([] if known else [f"a life of kind {kind} ended with {code}: {last}"])

    def _note_recovery(self, lines: Sequence[dict[str, Any]], *, resumed: bool) -> None:
        began = next((line["t"] for line in lines if line["at"] == "start"), None)
        first = next((line["t"] for line in lines if line["at"] == "attempt"), None)
        if resumed and began is not None and first is not None:
            self.campaign.tally.recoveries.append(first - began)

    def fail_on(self, found: Sequence[str]) -> None:
        """Raise CampaignFailure with what is wrong, where to look, and how to repeat it."""
        if not found:
            return
        said = self.folder / "said"
        tail = said.read_text("utf-8", "replace")[-3000:] if said.exists() else ""
        killed = "; ".join(self.story[-8:])
        raise CampaignFailure(
            "\n".join(
                [
                    f"run {self.plan.number} (seed {self.plan.seed}) after {self.kills} kills:",
                    *(f"  {line}" for line in found),
                    f"last kills: {killed}",
                    f"kept for inspection: {self.folder}",
                    tail,
                ]
            )
        )


# -- campaigns -----------------------------------------------------------------------------
@contextmanager
def loaded(wanted: bool) -> Iterator[None]:
    """Keep two processors busy meanwhile, when wanted."""
    with ExitStack() as stack:
        for _ in range(2 if wanted else 0):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(loop.kill)
        yield


@contextmanager
def campaign(folder: Path, *, max_parallel: int = 1) -> Iterator[Campaign]:
    """Have a campaign in a folder, its undisturbed run behind it."""
    lives = Lives()
    try:
        made = Campaign(folder, lives, Tally(), max_parallel)
        made.prepare()
        yield made
    finally:
        lives.close()


def boundary_plans(made: Campaign, seed: int, *, part: float = 1.0) -> list[Plan]:
    """Return runs which together die at a part (0..1) of the boundaries of the undisturbed run.

    With all of them, at those of recovery, too: at every one of them in one of the runs.
    """
    rng = random.Random(f"{seed}/boundaries")
    chosen = [key for key in made.boundaries if part >= 1 or rng.random() < part]
    return [
        Plan(
            number=number + 1,
            seed=f"{seed}/{number + 1}",
            boundaries=tuple(chosen[number::SHARES]),
            share=(number, SHARES) if part >= 1 else None,
            max_parallel=made.max_parallel,
        )
        for number in range(SHARES)
    ]


KIND_SETS: Sequence[tuple[str, ...]] = (
    ("orchestrator",),
    ("group",),
    ("orchestrator, a tool at work", "orchestrator, git at work"),
    ("orchestrator", "group", "git"),
    ("git",),
    ("tool",),
)


def random_plan(made: Campaign, seed: int, number: int) -> Plan:
    """Return the plan of run `number`: kills at random moments, the way of it drawn by the seed."""
    rng = random.Random(f"{seed}/{number}/plan")
    kinds = KIND_SETS[number % len(KIND_SETS)]
    return Plan(
        number=number,
        seed=f"{seed}/{number}",
        kinds=kinds,
        horizon_s=rng.choice((0.15, 0.4, 0.8)),
        most_kills=rng.randint(1, 3) if kinds == ("tool",) else rng.randint(10, 25),
        slow=rng.random() < 0.5,
        load=rng.random() < 0.25,
        max_parallel=made.max_parallel,
    )
