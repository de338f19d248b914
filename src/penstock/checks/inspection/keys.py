"""The key of a result: all that it depends on, so that what is found under a key still holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec

from penstock.checks.api import Place
from penstock.checks.inspection import closure
from penstock.checks.inspection.consulted import Consulted, Wanted, wanted_by
from penstock.checks.inspection.contents import Contents, digest_of
from penstock.checks.inspection.installed import node_packages, python_packages
from penstock.checks.inspection.project import list_project
from penstock.checks.plugins.port import Plugin, ToolFacts
from penstock.model.manifest import Manifest, Reach
from penstock.typed import typed_msgpack

KEY_BYTES = 20
_FORMAT = b"penstock-check-1"  # of keys and of the values kept under them
_UNREADABLE = "unreadable"
_PYTHON = frozenset({"py", "pyi"})


class KeyParts(msgspec.Struct, frozen=True, array_like=True):
    """What a result depends on, each as a digest or short text.

    `plugin`: its version and the code that reads the output. `tool`: its identity. `config`: the
    configuration that is consulted, absent files by being absent. `packages`: what is installed
    beside the tool. `closure`: other files of the project. For a plugin of reach project, `path`
    and `content` are those of all files that it was asked about.
    """

    plugin: str
    tool: str
    arguments: str
    config: str
    packages: str
    path: str
    content: str
    closure: str


_WORDS = {
    "plugin": "plugin",
    "tool": "tool",
    "arguments": "arguments",
    "config": "configuration",
    "packages": "installed packages",
    "path": "set of files",
    "content": "content",
    "closure": "other files of the project",
}


def pack(parts: KeyParts) -> bytes:
    """Return the parts as bytes, to be kept beside a result."""
    path = parts.path.encode("utf-8", "backslashreplace").decode()  # names need not be UTF-8
    return msgspec.msgpack.encode(msgspec.structs.replace(parts, path=path))


def unpack(data: bytes) -> KeyParts | None:
    """Return parts from their bytes, None when these are no parts."""
    try:
        return typed_msgpack(data, KeyParts)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def key_of(parts: KeyParts) -> bytes:
    """Return the key under which a result with these parts is kept."""
    p = parts
    return _Shared(p.plugin, p.tool, p.arguments, p.config, p.packages, p.closure).key(
        p.path, p.content
    )


class _Shared:
    """The parts that all files of a folder have in common for a plugin, hashed once."""

    __slots__ = ("_begun", "parts")

    def __init__(self, *parts: str) -> None:
        self.parts = parts
        self._begun = blake2b(_FORMAT + msgspec.msgpack.encode(parts), digest_size=KEY_BYTES)

    def key(self, path: str, content: str) -> bytes:
        """Return the key for a file."""
        whole = self._begun.copy()
        whole.update(f"{path}\0{content}".encode("utf-8", "surrogateescape"))
        return whole.digest()


def because(old: KeyParts | None, new: KeyParts) -> str:
    """Say why there was no result: what has changed since the last one."""
    if old is None:
        return "not checked before"
    changed = [word for part, word in _WORDS.items() if getattr(old, part) != getattr(new, part)]
    return f"{', '.join(changed)} changed" if changed else "its result was not kept"


class _Profile(msgspec.Struct, frozen=True):
    """The parts that all files share, and what is consulted."""

    plugin: str
    tool: str
    arguments: str
    packages: str
    wanted: Wanted
    is_python: bool


class Ledger:
    """What the files of a tree depend on, each looked at once; for one inspection.

    `listing` are the project's files when they are known, else they are listed when asked for
    (what list_project raises is passed on then).
    """

    def __init__(self, place: Place, *, listing: Sequence[str] | None = None) -> None:
        self._place = place
        self._tree = os.fspath(place.tree)
        self._listing = None if listing is None else tuple(listing)
        self._begin(Contents())

    def _begin(self, contents: Contents) -> None:
        self._contents = contents
        self._consulted = Consulted(self._tree, os.fspath(self._place.root), contents)
        self._profiles: dict[tuple[str, str], _Profile] = {}
        self._shared: dict[tuple[str, str, str], _Shared] = {}
        self._modules: dict[str, tuple[str, ...]] = {}
        self._sites: dict[str, str] = {}
        self._kinds: dict[tuple[str, ...], str] = {}

    def content(self, path: str) -> str | None:
        """Return the digest of a file's bytes and its right to be executed; None: unreadable."""
        return self._contents.digest(f"{self._tree}/{path}")

    def forget(self, paths: Iterable[str]) -> None:
        """Look anew at files that were rewritten, and at all configuration."""
        self._contents.forget(f"{self._tree}/{path}" for path in paths)
        self._begin(self._contents)

    def again(self) -> Ledger:
        """Return a ledger of the files as they are now; unchanged ones are not read again."""
        other = Ledger(self._place, listing=self._listing)
        other._begin(self._contents.again())
        return other

    def parts(self, plugin: Plugin, tool: ToolFacts | None, path: str) -> KeyParts:
        """Return what the result of a plugin of reach file on a file depends on."""
        shared = self._at(plugin, tool, path.rpartition("/")[0])
        of_plugin, of_tool, arguments, config, packages, visible = shared.parts
        content = self.content(path) or _UNREADABLE
        return KeyParts(of_plugin, of_tool, arguments, config, packages, path, content, visible)

    def keys(self, plugin: Plugin, tool: ToolFacts | None, files: Iterable[str]) -> list[bytes]:
        """Return the keys of the results of a plugin of reach file: key_of(parts(...)), quicker."""
        return [
            self._at(plugin, tool, path.rpartition("/")[0]).key(
                path, self.content(path) or _UNREADABLE
            )
            for path in files
        ]

    def _at(self, plugin: Plugin, tool: ToolFacts | None, folder: str) -> _Shared:
        plugin_id = plugin.manifest.plugin_id
        place = (plugin_id, "" if tool is None else tool.identity, folder)
        known = self._shared.get(place)
        if known is None:
            profile = self._profile(plugin, tool)
            known = self._shared[place] = _Shared(
                profile.plugin,
                profile.tool,
                profile.arguments,
                self._consulted.digest(profile.wanted, folder),
                profile.packages,
                self._visible(profile, folder),
            )
        return known

    def project_parts(
        self, plugin: Plugin, tool: ToolFacts | None, files: Sequence[str]
    ) -> KeyParts:
        """Return what the result of a plugin of reach project on these files together depends on."""
        profile = self._profile(plugin, tool)
        asked = sorted(set(files))
        folders = sorted({path.rpartition("/")[0] for path in asked})
        configs = (self._consulted.digest(profile.wanted, folder) for folder in folders)
        return KeyParts(
            profile.plugin,
            profile.tool,
            profile.arguments,
            digest_of(*configs),
            profile.packages,
            digest_of(*asked),
            closure.digest_over(asked, self.content),
            self._project(plugin.manifest),
        )

    def still(
        self, parts: KeyParts, plugin: Plugin, tool: ToolFacts | None, files: Sequence[str]
    ) -> bool:
        """Tell whether all that a result depends on is on disk as it was when its parts were made.

        For many files at once, compare with the parts of one `again()`.
        """
        now = self.again()
        if plugin.manifest.depends.reach is Reach.PROJECT:
            return now.project_parts(plugin, tool, files) == parts
        return all(now.parts(plugin, tool, path) == parts for path in files)

    def _profile(self, plugin: Plugin, tool: ToolFacts | None) -> _Profile:
        manifest = plugin.manifest
        identity = "" if tool is None else tool.identity
        known = self._profiles.get((manifest.plugin_id, identity))
        if known is None:
            known = _Profile(
                digest_of(manifest.plugin_id, manifest.version, _own_code()),
                "" if tool is None else digest_of(tool.version, identity),
                digest_of(*plugin.arguments(fix=False)),
                self._packages(manifest, tool),
                wanted_by(manifest),
                bool(_PYTHON.intersection(manifest.file_extensions)),
            )
            self._profiles[manifest.plugin_id, identity] = known
        return known

    def _packages(self, manifest: Manifest, tool: ToolFacts | None) -> str:
        if manifest.depends.packages == "python":
            return python_packages(self._place, tool, self._contents, self._sites)
        if manifest.depends.packages == "node":
            return node_packages(self._place, tool, self._contents)
        return ""

    # -- other files -----------------------------------------------------------------------------
    def _visible(self, profile: _Profile, folder: str) -> str:
        """Return what tools for Python make out of names alone: which modules are the project's own,
        and which folders are packages."""
        if not profile.is_python:
            return ""
        lines = list(closure.packages_above(folder, self._names_in))
        for root in self._consulted.roots(profile.wanted, folder):
            lines += ["from", root.removeprefix(self._tree), *self._modules_in(root)]
        return digest_of(*lines)

    def _names_in(self, folder: str) -> frozenset[str]:
        return self._consulted.names_in(f"{self._tree}/{folder}" if folder else self._tree)

    def _modules_in(self, folder: str) -> tuple[str, ...]:
        known = self._modules.get(folder)
        if known is None:
            known = self._modules[folder] = closure.module_names(folder)
        return known

    def _project(self, manifest: Manifest) -> str:
        """Return the digest of all files of the project that a plugin can see."""
        kinds = manifest.depends.project_extensions or manifest.file_extensions
        known = self._kinds.get(kinds)
        if known is None:
            listing = self._files()
            files = closure.of_kind(listing, kinds)
            hidden = closure.unlisted(self._tree, listing, kinds)
            known = closure.digest_over(sorted({*files, *hidden}), self.content)
            self._kinds[kinds] = known
        return known

    def _files(self) -> tuple[str, ...]:
        if self._listing is None:
            self._listing = list_project(self._place)
        return self._listing


@cache
def _own_code() -> str:
    """Return a digest of our code that turns output into findings, and findings into what is kept.

    That of a plugin of its own counts among its arguments.
    """
    checks = Path(__file__).parents[1]
    model = checks.parent / "model"
    paths = [checks / "inspection" / "work.py", checks / "inspection" / "places.py"]
    paths += [checks / "reading.py", model / "finding.py", model / "fingerprint.py"]
    for folder in (checks / "plugins", checks / "plugins" / "readers"):
        paths += sorted(folder.glob("*.py"))
    return digest_of(*(part for path in paths for part in (path.name, path.read_bytes())))
