"""Celery's side of `bench_overhead`: a task a step, acknowledged late, its result kept in Redis.

The intent is the message in Redis, which stays until the outcome is there (`acks_late`); the
outcome is the result. The worker is one process that runs one task at a time (`-P solo`, the
cheapest pool), without gossip, mingle and heartbeat. The graph goes out wave by wave.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from bench.overhead_meter import REDIS_SOCKET, Answer, measure_all, peer, read_task, tell, waves_of

_PATIENCE_S = 60.0

_url = f"redis+socket://{os.environ[REDIS_SOCKET]}"
app = peer("celery").Celery("overhead", broker=_url, backend=_url)
app.conf.update(task_acks_late=True, broker_connection_retry_on_startup=True)


def _step() -> None:
    """Do nothing."""


step = app.task(name="step")(_step)


def independent(steps: int) -> None:
    """Send so many tasks, then wait for all of them."""
    for result in [step.delay() for _ in range(steps)]:
        result.get(timeout=_PATIENCE_S)


def graph(parents: Sequence[Sequence[int]]) -> None:
    """Send each wave when the one before is over."""
    for wave in waves_of(parents):
        independent(len(wave))


def sequence(steps: int) -> None:
    """Send one task after the other; a chain of them takes longer."""
    for _ in range(steps):
        step.delay().get(timeout=_PATIENCE_S)


def main() -> None:
    """Do the shapes, and count the results that Redis keeps."""
    task = read_task()
    samples = measure_all(task, independent, graph, sequence)
    client = peer("redis").Redis(unix_socket_path=os.environ[REDIS_SOCKET])
    recorded = sum(1 for _ in client.scan_iter("celery-task-meta-*", count=1000))
    setting = client.config_get("append*")
    client.flushall()
    client.close()
    told = f"appendonly {setting['appendonly']}, appendfsync {setting['appendfsync']}"
    tell([Answer("", samples, recorded, told)])


if __name__ == "__main__":
    main()
