"""Where plugins come from: penstock itself, the repository, the user's folders, entry points."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from penstock.checks.plugins.base import BasePlugin
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.foreign import ForeignPlugin, Guard, manifest_of
from penstock.checks.plugins.manifests import MANIFEST, read_manifest
from penstock.checks.plugins.ordering import in_order
from penstock.checks.plugins.port import BUILT_IN, Plugin
from penstock.errors import ConfigError
from penstock.model.manifest import Manifest
from penstock.trust import why_not_trusted

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP = "penstock.error_plugins"
FOLDER_VARIABLE = "PIPELINE_ERROR_PLUGINS_PATH"
REPOSITORY_FOLDER = Path("config", "error_plugins")
CODE = "plugin.py"
BUILT_IN_FOLDER = Path(__file__).parent / "builtin"
_BUILT_IN_PACKAGE = "penstock.checks.plugins.builtin"


class PluginManager:
    """Loads the plugins of a repository. A plugin that cannot be loaded is a line in `problems`,
    and the others load all the same.

    Sources, each replacing plugins of the same id from those before: the built-in ones; manifests
    in the repository's `config/error_plugins/<id>/` (code there is refused: agents write there);
    the folders of PIPELINE_ERROR_PLUGINS_PATH, or `extra_folder` (code allowed); entry points of
    the group `penstock.error_plugins`. Code that others than its owner can change is not loaded.
    `notes` are told with the problems.
    """

    def __init__(
        self,
        root: Path | None = None,
        extra_folder: Path | str | None = None,
        *,
        entry_points: bool = True,
        notes: Sequence[str] = (),
    ) -> None:
        given = os.environ.get(FOLDER_VARIABLE, "") if extra_folder is None else str(extra_folder)
        self._folders = tuple(Path(entry).absolute() for entry in given.split(os.pathsep) if entry)
        self._root = root
        self._entry_points = entry_points
        self._notes = tuple(notes)
        self._problems: list[str] = []
        self._found: dict[str, Plugin] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with plugins, a line each; empty before `load`."""
        return (*self._notes, *self._problems)

    def load(self) -> tuple[Plugin, ...]:
        """Return all plugins, each after those that it requires."""
        self._problems.clear()
        self._found.clear()
        self._take_folder(BUILT_IN_FOLDER, BUILT_IN, code=True)
        if self._root is not None:
            own = self._root / REPOSITORY_FOLDER
            self._take_folder(own, str(REPOSITORY_FOLDER), code=False)
        for folder in self._folders:
            self._take_folder(folder, str(folder), code=True)
        if self._entry_points and _may_have_entry_points():
            self._take_entry_points()
        return self._ordered()

    def _ordered(self) -> tuple[Plugin, ...]:
        requires = {name: plugin.manifest.requires for name, plugin in self._found.items()}
        order, cycles = in_order(requires)
        self._problems += [
            f"plugins require each other: {cycle}; they run in no certain order" for cycle in cycles
        ]
        return tuple(self._found[name] for name in order)

    # -- folders ---------------------------------------------------------------------------------
    def _take_folder(self, folder: Path, origin: str, *, code: bool) -> None:
        """Load all plugins in a folder, in the order of their names."""
        try:
            places = _plugin_folders(folder)
        except OSError as error:
            if not (isinstance(error, FileNotFoundError) and origin == str(REPOSITORY_FOLDER)):
                why = error.strerror or error
                self._problems.append(f"plugins in {folder} cannot be looked for: {why}")
            return
        for place in places:
            try:
                plugin = self._in_folder(place, origin, code=code)
            except ConfigError as error:
                self._problems.append(f"plugin {place.name} ({origin}) is left out: {error}")
                continue
            self._found[plugin.manifest.plugin_id] = plugin

    def _in_folder(self, folder: Path, origin: str, *, code: bool) -> Plugin:
        """Return the plugin in a folder. Raises ConfigError."""
        manifest, digest = read_manifest(folder, trusted=origin == BUILT_IN)
        source = folder / CODE
        if not os.path.lexists(source):
            if manifest.tool is None:
                raise ConfigError(f"its manifest names no tool, and there is no {CODE}")
            return ManifestPlugin(manifest, origin, digest)
        if not code:
            raise ConfigError(
                f"{source} is code, and code is not run from there; move the folder to one of "
                f"{FOLDER_VARIABLE}, or do without {CODE}"
            )
        return _registered(source, manifest, origin, digest)

    # -- entry points ----------------------------------------------------------------------------
    def _take_entry_points(self) -> None:
        from importlib.metadata import entry_points  # costs more than all the rest to import

        for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda p: p.name):
            try:
                plugin = _from_entry_point(point)
            except ConfigError as error:
                where = f"entry point {point.name} = {point.value}"
                self._problems.append(f"plugin of the {where} is left out: {error}")
                continue
            self._found[plugin.manifest.plugin_id] = plugin


def foreign_folders(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Return the plugins with code in the folders that the user names; `environ` None: our own."""
    given = (os.environ if environ is None else environ).get(FOLDER_VARIABLE, "")
    places = []
    for folder in filter(None, given.split(os.pathsep)):
        with suppress(OSError):
            places += _plugin_folders(Path(folder).absolute())
    return tuple(place for place in places if os.path.lexists(place / CODE))


def _plugin_folders(folder: Path) -> list[Path]:
    """Return the folders with a manifest or code, sorted. Raises OSError."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir())
    hidden = (".", "__")
    return [
        folder / name
        for name in names
        if not name.startswith(hidden)
        and any(os.path.lexists(folder / name / file) for file in (MANIFEST, CODE))
    ]


def _registered(source: Path, manifest: Manifest, origin: str, digest: str) -> Plugin:
    """Return what `register()` of a plugin.py makes. Raises ConfigError."""
    try:
        text = source.read_bytes()
    except OSError as error:
        raise ConfigError(f"{source} cannot be read: {error.strerror or error}") from error
    if origin != BUILT_IN and (why := why_not_trusted(source)) is not None:
        raise ConfigError(f"its code is not run: {why}")
    made_of = digest + blake2b(text, digest_size=10).hexdigest()
    with Guard() as guard:
        module = _imported(source, origin)
        made = module.register()
        return _adopted(made, manifest, origin, made_of)
    said = str(guard.error) if isinstance(guard.error, ConfigError) else guard.said
    raise ConfigError(f"{source} failed: {said}") from guard.error


def _imported(source: Path, origin: str) -> ModuleType:
    """Import a plugin.py; a built-in one by its name. Raises whatever it raises."""
    if origin == BUILT_IN:
        return import_module(f"{_BUILT_IN_PACKAGE}.{source.parent.name}.plugin")
    mark = blake2b(os.fsencode(source), digest_size=6).hexdigest()
    name = f"penstock_error_plugin_{mark}"
    spec = spec_from_file_location(name, source)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{source} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _adopted(made: object, manifest: Manifest, origin: str, made_of: str) -> Plugin:
    """Return a plugin of ours as it is, and one that others have written within a guard."""
    if isinstance(made, BasePlugin) and origin == BUILT_IN:
        made.origin, made.made_of = origin, made_of
        return made
    return ForeignPlugin(made, manifest, origin, made_of)


def _from_entry_point(point: EntryPoint) -> Plugin:
    """Return the plugin that an entry point names: a function like `register`. Raises ConfigError."""
    with Guard() as guard:
        made = point.load()()
        version = point.dist.version if point.dist is not None else ""
        return _adopted(made, manifest_of(made), f"entry point {point.value}", version)
    said = str(guard.error) if isinstance(guard.error, ConfigError) else guard.said
    raise ConfigError(said) from guard.error


def _may_have_entry_points() -> bool:
    """Tell whether some installed distribution may name our group, without importing much."""
    return any(_names_group(file) for file in _entry_point_files())


def _entry_point_files() -> Iterator[str]:
    for place in dict.fromkeys(sys.path):
        try:
            with os.scandir(place or ".") as entries:
                names = [e.path for e in entries if e.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue  # a zip file or nothing at all
        yield from (f"{name}/entry_points.txt" for name in names)


def _names_group(file: str) -> bool:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - a hundred of them, paths cost
            return ENTRY_POINT_GROUP.encode() in stream.read()
    except OSError:
        return False
