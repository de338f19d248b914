"""Asking all probes at once, none of which can hold the others up or take the report along."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from penstock.environment.api import (
    Counts,
    Finding,
    Health,
    HealthCheck,
    HealthReport,
    Verdict,
)
from penstock.errors import EnvironmentProblem, PenstockError
from penstock.model.times import iso

EACH_S = 2.0
"""How long one probe may take (s)."""
CHILD_S = 1.5
"""How long a program that a probe starts may take (s): less than the probe itself, so that the probe
can say which program it was, and the program is ended."""


class NoAnswer(EnvironmentProblem):
    """A program did not answer in time. On a busy machine that proves nothing."""


class Probe(NamedTuple):
    """One thing to look at. `look` may raise: what is raised is what is wrong."""

    name: str
    look: Callable[[], Finding]


def run_probes(
    probes: Iterable[Probe],
    *,
    each_s: float | None = None,
    clock: Callable[[], float] = time.time,
) -> HealthReport:
    """Ask all probes at the same time and return what they found, in their order; never raises.

    One that does not answer within `each_s` (s; None: EACH_S) is a warning and left behind in a daemon thread,
    which ends with the process. `clock` gives seconds since the epoch.
    """
    patience = EACH_S if each_s is None else each_s
    asked = [_Asking(probe) for probe in probes]
    until = time.monotonic() + patience
    for asking in asked:
        asking.begin()
    checks = tuple(asking.check(until, patience, clock) for asking in asked)
    return report_of(checks, iso(clock()))


def report_of(checks: tuple[HealthCheck, ...], timestamp: str) -> HealthReport:
    """Return the report over some checks: any fail is unhealthy, any warning degraded."""
    found = Counter(check.status for check in checks)
    counts = Counts(passed=found[Verdict.PASS], warn=found[Verdict.WARN], fail=found[Verdict.FAIL])
    worst = Health.UNHEALTHY if counts.fail else Health.DEGRADED if counts.warn else Health.HEALTHY
    return HealthReport(timestamp=timestamp, overall_status=worst, summary=counts, checks=checks)


class _Asking(threading.Thread):
    """One probe in a thread of its own."""

    def __init__(self, probe: Probe) -> None:
        super().__init__(name=f"health {probe.name}", daemon=True)
        self._probe = probe
        self._finding: Finding | None = None

    def begin(self) -> None:
        """Start looking; where no more threads may be made, that is the finding."""
        try:
            self.start()
        except RuntimeError as error:
            self._finding = _unknown(f"could not be looked at: {error}")

    def run(self) -> None:
        """Look, and keep what was found or why nothing could be."""
        try:
            self._finding = self._probe.look()
        except NoAnswer as error:
            self._finding = _unknown(str(error))
        except PenstockError as error:
            self._finding = Finding(status=Verdict.FAIL, message=str(error), hint=error.hint)
        except Exception as error:  # noqa: BLE001 - the report must come, whatever a probe met
            self._finding = _unknown(f"could not be looked at: {type(error).__name__}: {error}")

    def check(self, until: float, each_s: float, clock: Callable[[], float]) -> HealthCheck:
        """Return what was found until a moment of the monotonic clock."""
        if self.ident is not None:
            self.join(max(until - time.monotonic(), 0.0))
        found = self._finding or _unknown(f"timed out: no answer within {each_s:g} s")
        return HealthCheck(
            name=self._probe.name,
            status=found.status,
            message=found.message,
            details=found.details,
            hint=found.hint,
            timestamp=iso(clock()),
        )


def _unknown(message: str) -> Finding:
    """Return the finding of a probe that told nothing: that is no proof that anything is broken."""
    return Finding(status=Verdict.WARN, message=message)
