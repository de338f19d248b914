"""The environment of a child: an allow-list of ours, and where executables are looked for."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

ALLOWED = (
    "PATH", "HOME", "LANG", "LANGUAGE", "LC_*", "TERM", "COLORTERM", "TZ", "TZDIR",
    "TMPDIR", "TEMP", "TMP", "USER", "LOGNAME", "SHELL", "XDG_*",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
)  # fmt: skip
"""Names and patterns taken over; the last row is what programs on Windows cannot start without."""

NEVER = ("GIT_*", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PENSTOCK_ATTEMPT")
"""Never taken over: these would steer the child into our repository, packages or attempt."""

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """Variables that are lent to the children that one piece of work starts.

    `values` count where our own environment has none; `named` are handed on even if the caller does
    not keep them; `withheld` are not, whoever keeps them.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    named: tuple[str, ...] = ()
    withheld: frozenset[str] = frozenset()


_LOAN: ContextVar[Loan | None] = ContextVar("loan", default=None)


@contextmanager
def lending(loan: Loan) -> Iterator[None]:
    """Lend variables while the block runs, in this thread only, in place of an earlier loan."""
    token = _LOAN.set(loan)
    try:
        yield
    finally:
        _LOAN.reset(token)


def variables() -> Mapping[str, str]:
    """Return our environment with what is lent, and without what is withheld."""
    loan = _LOAN.get()
    if loan is None:
        return os.environ
    ours = {name: value for name, value in os.environ.items() if name not in loan.withheld}
    return {**ours, **{n: value for n, value in loan.values.items() if not ours.get(n)}}


def child_environment(
    *,
    extra: Mapping[str, str] | None = None,
    keep: Iterable[str] = (),
    path_first: Sequence[Path] = (),
    path_without: Sequence[Path] = (),
    source: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the whole environment for a child.

    Taken over from `source` (None: our own, see `variables`) are the ALLOWED names and those of
    `keep` (names or patterns such as `AWS_*`), the NEVER ones excepted; `extra` is put on top. PATH gets
    the folders of `path_first` in front and loses those of `path_without`, as well as empty and
    relative entries: these mean the child's working directory, where an agent may have put a
    program of a well-known name.
    """
    loan = _LOAN.get() if source is None else None
    ours = variables() if source is None else source
    wanted = (*ALLOWED, *keep, *(loan.named if loan is not None else ()))
    env = {name: value for name, value in ours.items() if _is_taken(name, wanted)}
    env.update(extra or {})
    env["PATH"] = _path(env.get("PATH", DEFAULT_PATH), path_first, path_without)
    return env


def find_executable(name: str, env: Mapping[str, str]) -> Path | None:
    """Find an executable on the PATH of `env`, or take a path as it is; None when there is none."""
    found = shutil.which(name, path=env.get("PATH", DEFAULT_PATH))
    return None if found is None else Path(found).absolute()


def own_bin_directories() -> tuple[Path, ...]:
    """Return the folders with the executables of the virtual environment that penstock runs in.

    Empty outside a virtual environment, where they would be the system's. Checks leave them off
    PATH, so that a repository is never checked with penstock's own tools.
    """
    if sys.prefix == sys.base_prefix:
        return ()
    folder = Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin")
    return tuple(dict.fromkeys((folder, Path(sys.executable).parent)))


@lru_cache(maxsize=4096)  # the same names are asked about for every child
def _is_taken(name: str, wanted: tuple[str, ...]) -> bool:
    return _matches(name, wanted) and not _matches(name, NEVER)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(
        fnmatchcase(name, pattern) if "*" in pattern else name == pattern for pattern in patterns
    )


def _path(path: str, first: Sequence[Path], without: Sequence[Path]) -> str:
    left_off = {form for folder in without for form in (folder.absolute(), folder.resolve())}
    entries = [str(folder) for folder in first]
    for entry in path.split(os.pathsep):
        if not entry.startswith(os.sep) and not Path(entry).is_absolute():
            continue
        folder = Path(entry)
        if not left_off or left_off.isdisjoint((folder, folder.resolve())):
            entries.append(entry)
    return os.pathsep.join(dict.fromkeys(entries))
