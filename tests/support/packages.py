"""Packages of our own making, and the real managers that install them without a network."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import venv
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

from penstock.aim_cli.main import main
from tests.support.checkers import FOLDER, REQUIRE, need_checkers, use_checkers
from tests.support.cli import Said, make_repository
from tests.support.npm_registry import Registry
from tests.support.registries import write_config
from tests.support.venvs import site_packages

STEERING = ("PIP_", "PIPX_", "UV_", "NPM_", "npm_", "AIM_", "XDG_", "PENSTOCK_", "PIPELINE_")


def missing(what: str) -> NoReturn:
    """Skip the test for want of something, or fail it where everything must be there."""
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{what} is missing, and {REQUIRE}=1")
    pytest.skip(f"{what} is missing")


def npm_library(name: str) -> Path:
    """Return a library of npm's own."""
    npm = shutil.which("npm")
    folder = Path(npm or "").resolve().parent.parent / "node_modules" / name
    if npm is None or shutil.which("node") is None or not folder.is_dir():
        missing(f"npm with its library {name}")
    return folder


@contextmanager
def no_larger_than(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` (bytes) while the block runs, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


# -- packages --------------------------------------------------------------------------------------
def make_wheel(
    folder: Path, name: str, *versions: str, requires: Sequence[str] = (), program: bool = True
) -> None:
    """Put a wheel of each version into a folder; its program is called like the package."""
    module = name.replace("-", "_")
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    for version in versions:
        info = f"{module}-{version}.dist-info"
        files = {
            f"{module}/__init__.py": f"def main():\n    print('{name} {version}')\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }
        if program:
            entry = f"[console_scripts]\n{name} = {module}:main\n"
            files[f"{info}/entry_points.txt"] = entry
        with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
            for path, text in files.items():
                wheel.writestr(path, text)


def make_dist(site: Path, name: str, version: str, *, requested: bool = True) -> Path:
    """Write the metadata of an installed distribution with a program, and nothing else of it."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[console_scripts]\n{name} = {name}:main\n")
    if requested:
        (info / "REQUESTED").write_text("")
    return info


def make_pip_venv(folder: Path) -> Path:
    """Make a virtual environment whose pip is a link to ours, which takes no time."""
    found = find_spec("pip")
    if found is None or found.origin is None:
        missing("pip")
    venv.create(folder, with_pip=False, symlinks=True)
    ours = Path(found.origin).parent
    site = site_packages(folder)
    (site / "pip").symlink_to(ours)
    info = next(ours.parent.glob("pip-*.dist-info"))
    shutil.copytree(info, site / info.name)
    return folder


# -- machines --------------------------------------------------------------------------------------
class Machine:
    """A home, a repository and package managers of a test's own; nothing else is touched."""

    def __init__(self, base: Path, patch: pytest.MonkeyPatch) -> None:
        self.home = base / "home"
        self.wheels = base / "wheels"
        self.prefix = base / "npm"
        self.bin = base / "bin"
        self.repo = make_repository(base / "repo")
        self.aim_home = base / "aim"
        for folder in (self.home, self.wheels, self.prefix, self.bin):
            folder.mkdir()
        self._patch = patch
        checkers = os.environ.get(FOLDER) or str(Path.home() / ".cache" / "penstock-checkers")
        for name in os.environ:
            if name.startswith(STEERING) and name not in ("PENSTOCK_AUDIT_KEY", REQUIRE):
                patch.delenv(name)
        patch.delenv("VIRTUAL_ENV", raising=False)
        patch.setenv(FOLDER, checkers)
        self._steer()
        patch.chdir(self.repo)

    def _steer(self) -> None:
        given = {
            "HOME": self.home, "AIM_HOME": self.aim_home, "NPM_CONFIG_PREFIX": self.prefix,
            "NPM_CONFIG_CACHE": self.home / ".npm", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": self.wheels, "PIP_CACHE_DIR": self.home / "pip",
            "UV_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_FIND_LINKS": self.wheels,
            "UV_TOOL_BIN_DIR": self.bin, "PIPX_BIN_DIR": self.bin, "UV_CACHE_DIR": self.home / "uv",
            "UV_NO_CONFIG": "1", "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never", "PIPX_DEFAULT_PYTHON": sys.executable,
        }  # fmt: skip
        for name, value in given.items():
            self._patch.setenv(name, str(value))
        self.path_first(self.bin, self.prefix / "bin")

    def path_first(self, *folders: Path) -> None:
        """Put folders in front of PATH."""
        path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
        self._patch.setenv("PATH", path)

    def use_python_tools(self) -> None:
        """Have the real pipx and uv on PATH; without them the test ends here."""
        need_checkers("pipx", "uv")
        use_checkers(self._patch, "pipx", "uv")
        self.path_first(self.bin, self.prefix / "bin")

    def use_npm(self, registry: Registry) -> None:
        """Have npm ask a registry of ours; without npm the test ends here."""
        if shutil.which("npm") is None:
            missing("npm")
        self._patch.setenv("NPM_CONFIG_REGISTRY", registry.url)

    def use_pip(self) -> Path:
        """Give the repository an environment with pip."""
        return make_pip_venv(self.repo / ".venv")

    def pin(self, **pins: Any) -> None:
        """Write pins into aim_config, by manager."""
        self.configure(versionPins=pins)

    def configure(self, **environment: Any) -> None:
        """Write the section `environment` of aim_config."""
        write_config(self.repo, {"environment": environment})


class Aim:
    """Runs `aim` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str) -> Said:
        """Run one command line."""
        self._capsys.readouterr()
        code = main(args)
        out, err = self._capsys.readouterr()
        return Said(code, out, err)

    def versions(self, *args: str) -> dict[str, tuple[str | None, str]]:
        """Return what `aim version check` finds: version and status by tool."""
        found = self("version", "check", "--json", *args).json
        return {tool["tool"]: (tool["installed"], tool["status"]) for tool in found["tools"]}
