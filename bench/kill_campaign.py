"""Runs of twelve workstreams, killed with SIGKILL and resumed until they end, N kills in all.

    python bench/kill_campaign.py N [--seed S] [--only RUN] [--max-parallel M] [--dir DIR]

First the orchestrator dies right before and right after each intent and outcome; then alone, with
all its children, or a git child or a tool's child dies instead of it, at random moments, in some
runs with a git that dawdles, locks in hand, and in some with two busy loops beside it. At the end
of each run its result, its journal, its repository and the processes are held against an
undisturbed run. A run that fails is kept, its path printed; `--only` repeats it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.campaign import (
    SHARES,
    Campaign,
    CampaignFailure,
    Plan,
    Tally,
    boundary_plans,
    campaign,
    random_plan,
)


def plans(made: Campaign, seed: int, kills: int) -> Iterator[Plan]:
    """Give the runs of a campaign: some seven in ten kills at boundaries, the rest at random."""
    part = min(1.0, 0.7 * kills / len(made.boundaries))
    yield from boundary_plans(made, seed, part=part)
    for number in itertools.count(SHARES + 1):
        yield random_plan(made, seed, number)


def carry_out(made: Campaign, plan: Plan) -> None:
    """Carry out one plan; a failure is printed and counted."""
    started = time.perf_counter()
    try:
        made.run(plan)
    except CampaignFailure as failure:
        made.tally.failures.append(str(failure))
        print(f"FAILED: {failure}", flush=True)
    took = time.perf_counter() - started
    done = sum(made.tally.kills.values())
    print(f"run {plan.number}: {took:.1f} s, {done} kills so far", flush=True)


def show(tally: Tally, boundaries: int) -> None:
    """Print the table."""
    print(f"\n{'kill':<34}{'number':>8}")
    for kind, count in sorted(tally.kills.items()):
        print(f"{kind:<34}{count:>8}")
    print(f"{'all':<34}{sum(tally.kills.values()):>8}")
    print(f"\nruns {tally.runs}, lives {tally.lives}, failed recoveries {len(tally.failures)}")
    print(f"boundaries of the undisturbed run {boundaries}, died at {len(tally.died_at)}")
    print(f"lives that ended because git was killed under them {tally.git_errors}")
    if len(tally.recoveries) > 1:
        cuts = statistics.quantiles(tally.recoveries, n=20)
        median = statistics.median(tally.recoveries)
        print(
            f"from resume to the first new attempt: median {median * 1000:.0f} ms, "
            f"p95 {cuts[-1] * 1000:.0f} ms, longest {max(tally.recoveries) * 1000:.0f} ms "
            f"({len(tally.recoveries)} times)"
        )


def main() -> int:
    """Carry out the campaign; exit 0 when every run ended as it should."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kills", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="RUN", help="carry out this run alone")
    parser.add_argument("--max-parallel", type=int, default=4, metavar="M")
    parser.add_argument("--dir", metavar="DIR", help="where to work (default: a temporary folder)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kill-campaign-", dir=options.dir)).resolve()
    os.environ.setdefault("PENSTOCK_AUDIT_KEY", str(folder / "key"))
    print(f"kill campaign, seed {options.seed}, {platform.platform()}, in {folder}")
    with campaign(folder, max_parallel=options.max_parallel) as made:
        for plan in plans(made, options.seed, options.kills):
            if options.only in (None, plan.number):
                carry_out(made, plan)
            if plan.number == options.only or sum(made.tally.kills.values()) >= options.kills:
                break
        show(made.tally, len(made.boundaries))
    return 1 if made.tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
