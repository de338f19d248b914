"""A light virtual environment that lends a scratch repository the tools of our own environment."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
import venv
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from penstock.errors import EnvironmentProblem, ToolMissingError

_SCRIPT = """#!{python}
import sys
from {module} import {function}
sys.exit({function}())
"""


def lend_environment(root: Path, modules: Sequence[str] = ("pytest", "ruff")) -> Path:
    """Make `root/.venv`, in which these modules can be imported and started, and return it.

    Nothing is installed or downloaded: a .pth file leads to the folders that our own interpreter
    finds the modules in, so it takes some 30 ms and a few kilobytes. Made for demonstrations and
    tests; a real repository has an environment of its own.
    Raises ToolMissingError when a module is missing here, EnvironmentProblem when the files cannot
    be written.
    """
    folders = _folders(modules)
    place = root / ".venv"
    try:
        venv.EnvBuilder(symlinks=os.name != "nt", with_pip=False).create(place)
        bin_folder = place / ("Scripts" if os.name == "nt" else "bin")
        _write_path_file(place, folders)
        for module in modules:
            _lend_command(module, bin_folder)
    except OSError as error:
        raise EnvironmentProblem(f"cannot make {place}: {error.strerror}") from error
    return place


def _folders(modules: Sequence[str]) -> list[Path]:
    """Return the folders that the modules lie in."""
    found = {name: importlib.util.find_spec(name) for name in modules}
    missing = [name for name, spec in found.items() if spec is None]
    if missing:
        raise ToolMissingError(
            f"{' and '.join(missing)} cannot be found in penstock's environment",
            hint="Install penstock with its demo extra: pip install 'penstock[demo]'",
        )
    origins = [Path(spec.origin) for spec in found.values() if spec and spec.origin]
    return list(dict.fromkeys(origin.parent.parent for origin in origins))


def _write_path_file(place: Path, folders: Sequence[Path]) -> None:
    library = sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)})
    lines = "".join(f"{folder}\n" for folder in folders)
    (Path(library) / "lent.pth").write_text(lines, encoding="utf-8")


def _lend_command(module: str, bin_folder: Path) -> None:
    """Write the console script that the module's package declares, else link its executable."""
    target = bin_folder / module
    target.unlink(missing_ok=True)
    declared = list(entry_points(group="console_scripts", name=module))
    if not declared:
        target.symlink_to(_own_executable(module))
        return
    name, _, function = declared[0].value.partition(":")
    text = _SCRIPT.format(python=bin_folder / "python", module=name, function=function)
    target.write_text(text, encoding="utf-8")
    target.chmod(0o755)


def _own_executable(module: str) -> Path:
    """Return the executable that a module installs beside our interpreter."""
    folder = Path(sysconfig.get_path("scripts"))
    beside = [folder, Path(sys.executable).parent]
    for place in beside:
        found = shutil.which(module, path=str(place))
        if found is not None:
            return Path(found)
    raise ToolMissingError(
        f"the module {module} is here, but its executable is not in {folder}",
        hint=f"Install it again: pip install --force-reinstall {module}",
    )
