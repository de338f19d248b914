"""PSScriptAnalyzer, a module of PowerShell, called by a script that makes JSON of its records."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.port import Call, ToolFacts, ToolMemory, Unavailable
from penstock.model.manifest import Manifest

SCRIPT = Path(__file__).with_name("analyze.ps1")
_MODULE = "PSScriptAnalyzer"
_INSTALL = f"pwsh -Command 'Install-Module {_MODULE} -Scope CurrentUser'"
_VERSION = re.compile(r"\d+(?:\.\d+){1,3}")


class ScriptAnalyzer(ManifestPlugin):
    """Needs PowerShell 7 and, in one of its module folders, PSScriptAnalyzer."""

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(manifest)
        self._script = blake2b(SCRIPT.read_bytes(), digest_size=10).hexdigest()

    def arguments(self, *, fix: bool) -> tuple[str, ...]:
        """Return what decides a result: the script as well."""
        return (*super().arguments(fix=fix), self._script)

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Return the options of PowerShell that run the script on the files."""
        return ("-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(SCRIPT))

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable:
        """Find PowerShell and the module, whose version counts."""
        found = super().find_tool(place, memory)
        if isinstance(found, Unavailable):
            return found
        module = max(_modules(found.executable), default=None)
        if module is None:
            return Unavailable(
                reason=f"the PowerShell module {_MODULE} is not installed", hint=_INSTALL
            )
        version = ".".join(map(str, module))
        identity = f"{found.identity} {_MODULE} {version}"
        return msgspec.structs.replace(found, version=version, identity=identity)


def _modules(executable: Path) -> Iterator[tuple[int, ...]]:
    """Yield the installed versions of the module; each has a folder of its name."""
    for folder in _module_folders(executable):
        try:
            names = os.listdir(folder / _MODULE)  # noqa: PTH208 - only names are wanted
        except OSError:
            continue
        for name in names:
            if _VERSION.fullmatch(name):
                yield tuple(map(int, name.split(".")))


def _module_folders(executable: Path) -> Iterator[Path]:
    """Yield where PowerShell looks for modules (about_PSModulePath)."""
    given = os.environ.get("PSModulePath", "")  # noqa: SIM112 - PowerShell spells it so
    for entry in given.split(os.pathsep):
        if entry:
            yield Path(entry)
    yield Path.home() / ".local" / "share" / "powershell" / "Modules"
    yield Path("/usr/local/share/powershell/Modules")
    yield executable.resolve().parent / "Modules"
    if os.name == "nt":
        yield Path.home() / "Documents" / "PowerShell" / "Modules"


def register() -> ScriptAnalyzer:
    """Make the plugin."""
    return ScriptAnalyzer(beside(__file__))
