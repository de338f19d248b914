"""Virtual environments for scratch repositories: light, offline, and editable installs as traps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from penstock.environment.demo_venv import lend_environment


def make_repo_venv(root: Path) -> Path:
    """Give a scratch repository a `.venv` that sees our pytest and ruff; return it."""
    return lend_environment(root)


def site_packages(venv: Path) -> Path:
    """Return the folder that a virtual environment's packages lie in."""
    return venv / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def install_editable(venv: Path, source: Path) -> None:
    """Do what `pip install -e` does with a build backend that writes a .pth file."""
    (site_packages(venv) / "__editable__.scratch.pth").write_text(f"{source}\n")


_FINDER = """
import subprocess
import sys
from importlib.machinery import PathFinder
from importlib.util import spec_from_file_location
MAPPING = {mapping!r}
class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname in MAPPING:
            place = MAPPING[fullname]
            return spec_from_file_location(
                fullname, place + "/__init__.py", submodule_search_locations=[place]
            )
        return None
def install():
    sys.meta_path.{install}(_EditableFinder)
"""


def install_editable_finder(venv: Path, package: Path, *, first: bool = False) -> None:
    """Do what `pip install -e` does with setuptools: a finder behind (or before) all others."""
    folder = site_packages(venv)
    how = "append" if not first else "insert"
    text = _FINDER.format(mapping={package.name: str(package)}, install=how)
    if first:
        text = text.replace("insert(_EditableFinder)", "insert(0, _EditableFinder)")
    (folder / "__editable___scratch_finder.py").write_text(text)
    (folder / "__editable__.scratch.pth").write_text(
        "import __editable___scratch_finder; __editable___scratch_finder.install()\n"
    )


# A build backend of twenty lines, so that a real editable install needs no download.
_BACKEND = """
import zipfile
def _write(path, name, files):
    info = name + "-1.dist-info"
    files[info + "/METADATA"] = "Metadata-Version: 2.1\\nName: " + name + "\\nVersion: 1\\n"
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[info + "/RECORD"] = ""
    file = name + "-1-py3-none-any.whl"
    with zipfile.ZipFile(path + "/" + file, "w") as wheel:
        for place, text in files.items():
            wheel.writestr(place, text)
    return file
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    import os
    return _write(wheel_directory, "scratch", {"scratch.pth": os.path.abspath("SOURCE") + "\\n"})
build_wheel = build_editable
"""
_PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "scratch"
version = "1"
"""


def pip_install_editable(venv: Path, checkout: Path, source: str) -> None:
    """Run a real `pip install -e` of a checkout whose code lies in `source`. Raises when it fails."""
    (checkout / "backend.py").write_text(_BACKEND.replace("SOURCE", source))
    (checkout / "pyproject.toml").write_text(_PROJECT)
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    options = ["--no-build-isolation", "--no-index", "--no-deps", "--no-input", "-q"]
    command = [*pip, "--disable-pip-version-check", "install", *options, "-e", str(checkout)]
    subprocess.run(command, check=True, capture_output=True)
