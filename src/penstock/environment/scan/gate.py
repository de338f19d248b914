"""The gate before a branch is integrated: do its commits bring a secret along?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from penstock.environment.scan.gitblobs import (
    Brought,
    Git,
    between,
    brought_by,
    commits_between,
    read_loose,
)
from penstock.environment.scan.secrets import Looker, Tally, against
from penstock.environment.scan.secretsources import object_texts, values_of
from penstock.environment.scan.texts import readable
from penstock.leaks.baseline import Baseline
from penstock.leaks.found import FoundSecret, LeakVerdict, Source
from penstock.leaks.match import LeakFinder


class SecretGate:
    """Looks through what commits bring that was not there before. Thread-safe.

    `find_git` gives git in the repository, whose objects lie in the folder `objects`. `known` gives the baseline of the user's own checkout and the key of its fingerprints, each time
    that something is found: a branch cannot allow its own secrets, so neither its baseline nor its
    marks count.
    """

    def __init__(
        self,
        find_git: Callable[[], Git],
        objects: Path,
        make_finder: Callable[[], LeakFinder],
        known: Callable[[], tuple[Baseline | None, bytes]],
    ) -> None:
        self._find_git = find_git
        self._objects = objects
        self._make_finder = make_finder
        self._known = known
        self._clean: set[tuple[str, str]] = set()
        self._noted: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._lock = threading.Lock()

    @cached_property
    def _git(self) -> Git:
        return self._find_git()

    @cached_property
    def _finder(self) -> LeakFinder:
        return self._make_finder()

    def note(self, commit: str, parent: str, oids: Iterable[str]) -> None:
        """Take down what objects a commit brought, so that git need not be asked for them."""
        with self._lock:
            self._noted[commit] = (parent, tuple(oids))

    def judge(self, base: str, head: str) -> LeakVerdict:
        """Return what the commits from `base` to `head` bring. Raises GitError, ConfigError,
        EnvironmentProblem."""
        if self._is_clean(base, head):
            return LeakVerdict()
        commits = commits_between(self._git, base, head)
        brought = list(brought_by(self._git, commits))
        verdict = LeakVerdict()
        if self._holds_some(brought):
            verdict = self._told(brought, between(self._git, base, head))
        if verdict.ok:
            self._remember(base, head)
        return verdict

    def _is_clean(self, base: str, head: str) -> bool:
        """Tell without git whether there is nothing, as far as that can be told without it."""
        with self._lock:
            if base == head or (base, head) in self._clean:
                return True
        oids = self._noted_between(base, head)
        if oids is None:
            return False
        for oid in oids:
            data = read_loose(self._objects, oid)
            if data is None or self._finder.find(readable(data) or b""):
                return False
        self._remember(base, head)
        return True

    def _remember(self, base: str, head: str) -> None:
        with self._lock:
            self._clean.add((base, head))

    def _noted_between(self, base: str, head: str) -> list[str] | None:
        """Return the objects of all commits in between, None when one of them was not noted."""
        oids: dict[str, None] = {}
        commit = head
        with self._lock:
            while commit != base:
                if commit not in self._noted:
                    return None
                commit, brought = self._noted[commit]
                oids.update(dict.fromkeys(brought))
        return list(oids)

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
