"""The gate before a branch is integrated: do its commits bring a secret along?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property

import msgspec

from penstock.environment.scan.gitblobs import Brought, Git, between, brought_by, commits_of
from penstock.environment.scan.secrets import Looker, Tally, against
from penstock.environment.scan.secretsources import object_texts, values_of
from penstock.leaks.baseline import Baseline
from penstock.leaks.found import FoundSecret, LeakVerdict, Source
from penstock.leaks.match import LeakFinder


class SecretGate:
    """Looks through what commits bring that was not there before. Thread-safe.

    `known` gives the baseline of the user's own checkout and the key of its fingerprints, each time
    that something is found: a branch cannot allow its own secrets, so neither its baseline nor its
    marks count.
    """

    def __init__(
        self,
        git: Git,
        make_finder: Callable[[], LeakFinder],
        known: Callable[[], tuple[Baseline | None, bytes]],
    ) -> None:
        self._git = git
        self._make_finder = make_finder
        self._known = known
        self._clean: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @cached_property
    def _finder(self) -> LeakFinder:
        return self._make_finder()

    def judge(self, base: str, head: str) -> LeakVerdict:
        """Return what the commits from `base` to `head` bring. Raises GitError, ConfigError,
        EnvironmentProblem."""
        with self._lock:
            if base == head or (base, head) in self._clean:
                return LeakVerdict()
        commits = commits_of(self._git, [f"{base}..{head}"])
        brought = list(brought_by(self._git, commits))
        verdict = LeakVerdict()
        if self._holds_some(brought):
            verdict = self._told(brought, between(self._git, base, head))
        if verdict.ok:
            with self._lock:
                self._clean.add((base, head))
        return verdict

    def _holds_some(self, brought: Sequence[Brought]) -> bool:
        """Tell cheaply whether there is anything that looks like a secret."""
        texts = object_texts(self._git, Source.COMMITS, brought, Tally(), once=True)
        return any(self._finder.find(text.data) for text in texts)

    def _told(self, brought: Sequence[Brought], net: Sequence[Brought]) -> LeakVerdict:
        baseline, key = self._known()
        looker = Looker(self._finder, lambda: key, marks=False)
        present, _ = against(self._look(looker, net), baseline)
        ever, _ = against(self._look(looker, brought), baseline)
        there = {(one.path, one.rule, one.fingerprint) for one in present}
        past = tuple(o for o in ever if (o.path, o.rule, o.fingerprint) not in there)
        commits = {(o.path, o.rule, o.fingerprint): o.commit for o in ever}
        return LeakVerdict(present=_with_commits(present, commits), past=past)

    def _look(self, looker: Looker, brought: Sequence[Brought]) -> tuple[FoundSecret, ...]:
        tally = Tally()
        texts = object_texts(self._git, Source.COMMITS, brought, tally, once=False)
        looker.look(texts, tally, values_of(self._git, looker))
        return tally.sorted()


def _with_commits(
    found: Sequence[FoundSecret], commits: dict[tuple[str, str, str], str | None]
) -> tuple[FoundSecret, ...]:
    return tuple(
        msgspec.structs.replace(one, commit=commits.get((one.path, one.rule, one.fingerprint)))
        for one in found
    )
