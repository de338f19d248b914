"""The Python environment that pip works in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.environment.installers.distributions import site_folders
from penstock.process.environment import find_executable

LIMIT_S = 5.0
"""How long an interpreter may take (s) to say where its packages are."""
_ASK = "import sys; print('\\n'.join(p for p in sys.path if p.endswith('-packages')))"


@dataclass(frozen=True, slots=True)
class PythonPlace:
    """An interpreter; `venv` is its virtual environment, None for one of the system."""

    python: Path
    venv: Path | None

    def folders(self) -> Sequence[Path]:
        """Return where its packages lie. Only the interpreter of a system, or of an environment that
        sees the system's packages, must be asked. Raises OSError when it cannot answer."""
        if self.venv is not None and not _sees_system(self.venv):
            return site_folders(self.venv)
        return self._asked()

    def _asked(self) -> Sequence[Path]:
        from penstock.errors import EnvironmentProblem
        from penstock.process.capture import capture
        from penstock.process.environment import child_environment

        try:
            done = capture(
                (str(self.python), "-c", _ASK), Path("/"), child_environment(), timeout=LIMIT_S
            )
        except EnvironmentProblem as error:
            raise OSError(str(error)) from error
        if done.returncode != 0:
            raise OSError("it takes too long" if done.timed_out else "it does not run")
        return [Path(line) for line in done.stdout.decode("utf-8", "replace").splitlines()]


def find_python(
    root: Path, stated: Path | None, environ: Mapping[str, str], env: Mapping[str, str]
) -> PythonPlace | None:
    """Return where pip works: the environment that is named, the active one, the repository's
    `.venv` or `venv`, and at last the `python3` on PATH; None when there is none.

    A named one counts even when it is not there, so that nothing else is changed in its stead.
    """
    if stated is not None:
        return _in_folder(stated)
    active = environ.get("VIRTUAL_ENV", "")
    candidates = ([Path(active)] if active else []) + [root / ".venv", root / "venv"]
    for folder in candidates:
        place = _in_folder(folder)
        if place is not None:
            return place
    python = find_executable("python3", env) or find_executable("python", env)
    return None if python is None else PythonPlace(python, None)


def _in_folder(folder: Path) -> PythonPlace | None:
    """Return the environment in a folder, None when there is none."""
    name = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    python = folder / name
    if not python.is_file():
        return None
    return PythonPlace(python, folder if (folder / "pyvenv.cfg").is_file() else None)


def _sees_system(venv: Path) -> bool:
    try:
        text = (venv / "pyvenv.cfg").read_text("utf-8", "replace")
    except OSError:
        return False
    pairs = (line.partition("=") for line in text.splitlines())
    return any(
        key.strip().lower() == "include-system-site-packages" and value.strip().lower() == "true"
        for key, _, value in pairs
    )
