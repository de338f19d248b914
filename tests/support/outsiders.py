"""Plugins of others: small packages that are really installed, into an environment that sees penstock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from penstock.environment.demo_venv import lend_environment
from tests.support.cli import plain_environment
from tests.support.repofiles import write_files

GROUP = "penstock.error_plugins"

# A build backend of a few lines, so that a real installation needs no download.
_BACKEND = """
import zipfile

NAME, GROUP, TARGET = "{name}", "{group}", "{target}"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"{{NAME}}-2.5.dist-info"
    files = {{
        f"{{NAME}}.py": open(f"{{NAME}}.py").read(),
        f"{{info}}/METADATA": f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: 2.5\\n",
        f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{{info}}/entry_points.txt": f"[{{GROUP}}]\\n{{NAME}} = {{TARGET}}\\n",
        f"{{info}}/RECORD": "",
    }}
    file = f"{{NAME}}-2.5-py3-none-any.whl"
    with zipfile.ZipFile(f"{{wheel_directory}}/{{file}}", "w") as wheel:
        for place, text in files.items():
            wheel.writestr(place, text)
    return file
"""
_PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{name}"
version = "2.5"
"""

TABS = '''
"""Finds tabs, without any import of penstock."""

import pathlib


class Tabs:
    manifest = {"plugin_id": "outsider_tabs", "name": "No tabs", "file_extensions": ["txt"]}

    def check_tool_available(self):
        return True

    def build_command(self, path):
        return ["no-tabs", str(path)]

    def execute(self, path):
        lines = pathlib.Path(path).read_text().split("\\n")
        issues = [
            {"tool": "no-tabs", "path": str(path), "line": number, "column": line.index("\\t") + 1,
             "code": "TAB", "message": "a tab", "category": "style", "severity": "error"}
            for number, line in enumerate(lines, 1)
            if "\\t" in line
        ]
        return {"plugin_id": "outsider_tabs", "success": True, "issues": issues}


def register():
    return Tabs()
'''


class OutsideWorld:
    """A repository, and an environment with penstock and what is installed into it."""

    def __init__(self, folder: Path) -> None:
        self._sources = folder / "sources"
        self.venv = lend_environment(folder, ("penstock", "pytest"))
        self.repo = folder / "repo"
        write_files(self.repo, {"bad.txt": "one\n\ttwo\n", "ok.txt": "fine\n"})

    def install(self, name: str, source: str, target: str = "") -> None:
        """Install a package of one module whose entry point is `register`, or `target`, by pip."""
        where = target or f"{name}:register"
        files = {
            f"{name}.py": source,
            "backend.py": _BACKEND.format(name=name, group=GROUP, target=where),
            "pyproject.toml": _PROJECT.format(name=name),
        }
        write_files(self._sources / name, files)
        options = ["--no-build-isolation", "--no-index", "--no-deps", "--no-input", "-q"]
        self._pip("install", *options, str(self._sources / name))

    def uninstall(self, name: str) -> None:
        """Take a package away again."""
        self._pip("uninstall", "-y", "-q", name)

    def _pip(self, *arguments: str) -> None:
        python = str(self.venv / "bin" / "python")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
        subprocess.run([*pip, *arguments], check=True, capture_output=True)

    def penstock(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run penstock in the repository."""
        return subprocess.run(
            [str(self.venv / "bin" / "python"), "-m", "penstock", *arguments],
            cwd=self.repo,
            env={**plain_environment(), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
