"""Redis, PostgreSQL and a Celery worker for `bench_overhead`: started, waited for, stopped.

All three listen on unix sockets in the bench's own folder and on no port, run in sessions of their
own, so that Ctrl-C reaches the bench and not them, and are killed by the kernel should the bench be
killed (`setpriv --pdeathsig`). PostgreSQL refuses to run as root, so there it runs as the user
`postgres`, who owns its folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.overhead_meter import REDIS_SOCKET

ROOT = Path(__file__).resolve().parents[1]
_READY_S = 30.0
_STOP_S = 20.0
_SOCKET_LIMIT = 100  # bytes of a socket's path; the kernel's limit is 107
_POSTGRES = "postgres"
_WORKER = ("worker", "-P", "solo", "-l", "ERROR", "--without-gossip", "--without-mingle",
           "--without-heartbeat")  # fmt: skip


class Unavailable(Exception):  # noqa: N818 - a reason to leave a row empty, not a fault
    """A server cannot be had here; the text says why and what would help."""


def find_redis() -> str:
    """Find Redis. Raises Unavailable."""
    if found := shutil.which("redis-server"):
        return found
    raise Unavailable("not installed: apt-get install redis-server")


def find_postgres() -> Path:
    """Find PostgreSQL's folder of programs, which Debian keeps off the PATH. Raises Unavailable."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if versions:
        return versions[-1].parent
    raise Unavailable("not installed: apt-get install postgresql")


def guarded(argv: list[str], death: str, user: str | None = None) -> list[str]:
    """Let a command die with this process and, when named, run as another user."""
    program = shutil.which("setpriv")
    if program is None:
        if user is not None:
            raise Unavailable("not available: PostgreSQL needs setpriv (util-linux) under root")
        return argv
    switch = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    return [program, *switch, f"--pdeathsig={death}", *argv]


@contextmanager
def started(
    argv: list[str], folder: Path, stop: signal.Signals, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the end of the block; its words go to `server.log` in its folder."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=None if env is None else {**os.environ, **env},
        )
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], folder: Path, name: str
) -> None:
    """Wait until a server answers. Raises Unavailable with its last words."""
    deadline = time.monotonic() + _READY_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            words = (
                (folder / "server.log").read_text(encoding="utf-8", errors="replace").split("\n")
            )
            said = next((line for line in reversed(words) if line.strip()), "it said nothing")
            raise Unavailable(f"not available: {name} did not start: {said[:200]}")
        time.sleep(0.05)


def answers(path: Path) -> bool:
    """Tell whether somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def checked(path: Path) -> Path:
    """Refuse a socket whose path is too long for the kernel. Raises Unavailable."""
    if len(os.fsencode(path)) > _SOCKET_LIMIT:
        raise Unavailable(f"not available: the path of {path} is too long for a socket; give --dir")
    return path


@contextmanager
def redis(folder: Path, appendfsync: str) -> Iterator[tuple[Path, int]]:
    """Run Redis with an append-only file; gives its socket and its process."""
    folder.mkdir(mode=0o700)
    path = checked(folder / "redis.sock")
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes",
        "appendfsync": appendfsync,
        "auto-aof-rewrite-percentage": "0",
    }
    argv = [find_redis(), *(word for k, v in settings.items() for word in (f"--{k}", v))]
    with started(guarded(argv, "KILL"), folder, signal.SIGTERM) as process:
        wait_until(lambda: answers(path), process, folder, "Redis")
        yield path, process.pid


@contextmanager
def celery_worker(folder: Path, python: str, redis_at: Path) -> Iterator[int]:
    """Run a Celery worker of `bench.overhead_celery`; the first task waits until it is up."""
    folder.mkdir(mode=0o700)
    argv = [python, "-W", "ignore", "-m", "celery", "-A", "bench.overhead_celery", *_WORKER]
    env = {REDIS_SOCKET: str(redis_at), "PYTHONPATH": str(ROOT)}
    with started(guarded(argv, "KILL"), folder, signal.SIGTERM, env) as process:
        yield process.pid


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[Path, int]]:
    """Run a fresh PostgreSQL; gives the folder of its socket and its process."""
    programs, user = find_postgres(), _owner()
    folder.mkdir(mode=0o700)
    checked(folder / ".s.PGSQL.5432")
    if user is not None:
        shutil.chown(folder, user, user)
    data = folder / "data"
    first = [str(programs / "initdb"), "-D", str(data), "-U", _POSTGRES, "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync"]  # fmt: skip
    made = subprocess.run(guarded(first, "KILL", user), capture_output=True, text=True, cwd=folder)
    if made.returncode:
        said = made.stderr.strip().splitlines() or ["it said nothing"]
        raise Unavailable(f"not available: initdb failed: {said[-1][:200]}")
    argv = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-h", ""]
    ask = [str(programs / "pg_isready"), "-q", "-h", str(folder)]
    with started(guarded(argv, "INT", user), folder, signal.SIGINT) as process:
        wait_until(lambda: subprocess.run(ask).returncode == 0, process, folder, "PostgreSQL")
        yield folder, process.pid


def _owner() -> str | None:
    """Name the user that PostgreSQL must run as, None for this one. Raises Unavailable."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_POSTGRES)
    except KeyError:
        raise Unavailable("not available: PostgreSQL needs a user `postgres` under root") from None
    return _POSTGRES


def make_database(socket_folder: Path, name: str, synchronous_commit: str) -> str:
    """Make a database whose commits are kept in that way; return its URL."""
    psql = [str(find_postgres() / "psql"), "-q", "-h", str(socket_folder), "-U", _POSTGRES]
    for text in (
        f"CREATE DATABASE {name}",
        f"ALTER DATABASE {name} SET synchronous_commit = {synchronous_commit}",
    ):
        done = subprocess.run([*psql, "-c", text], capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"not available: {done.stderr.strip()[:200]}")
    return f"postgresql+psycopg://{_POSTGRES}@/{name}?host={socket_folder}"
