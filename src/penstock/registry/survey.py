"""aim_config looked at as a whole: every setting with its origin, and everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.config.decode import decode
from penstock.config.documents import ConfigFileError, Document
from penstock.config.problems import Key, key_name
from penstock.config.survey import (
    PACKAGED,
    Fault,
    Setting,
    Survey,
    Verdict,
    faults,
    in_file,
)
from penstock.errors import AIMRegistryNotFoundError, PenstockError
from penstock.registry.api import VersionPins
from penstock.registry.expand import expand, unfilled, variables_in
from penstock.registry.files import read_document
from penstock.registry.load import RegistryProblemsError, load_registry
from penstock.registry.locate import VARIABLE
from penstock.registry.settings import FOLDERS, NAMES, load_config
from penstock.registry.wire import ConfigFile

OVERRIDES: Mapping[Key, str] = {
    ("registry_path",): VARIABLE,
    ("environment", "secretsVault"): "AIM_VAULT",
}
"""Settings that an environment variable goes before."""
OPEN: Collection[Key] = (
    ("registry", "tools"),
    ("registry", "capabilities"),
    *(("environment", "versionPins", name) for name in VersionPins.__struct_fields__),
)
"""Mappings whose keys are the user's: shown entry by entry where there are any."""


# -- what there is -------------------------------------------------------------------------------
def survey_config(root: Path, environ: Mapping[str, str]) -> Survey:
    """Return every setting of aim_config with its origin. Raises ConfigFileError for a wrong file."""
    config = load_config(root, environ)
    document = config.overlay
    given: Any = None if document is None else document.value
    made = _defaults()
    if document is not None:
        made = msgspec.to_builtins(decode(document, ConfigFile))
    shown = document or Document("", None)
    settings = [
        _overridden(_setting(path, value, given, shown, environ), path, environ)
        for path, value in _flat(made, given or {})
    ]
    found = [name for name, _ in _present(root)]
    counts = {config.settings.source, *_twins(found, config.settings.source)}
    return Survey(
        source=config.settings.source,
        passed_over=tuple(name for name in found if name not in counts),
        settings=tuple(_with_alias(settings)),
    )


def _with_alias(settings: list[Setting]) -> Iterator[Setting]:
    """Yield the settings, with `audit.enabled` as what it is: another name of a switch."""
    alias = next(setting for setting in settings if setting.key == "audit.enabled")
    for setting in settings:
        stated = setting.key == "enable_audit_logging" and setting.origin == PACKAGED
        if stated and alias.value is not None:
            setting = msgspec.structs.replace(alias, key=setting.key)
        yield setting


def files_that_count(root: Path) -> tuple[str, ...]:
    """Return the files of aim_config that are read: those of the first folder that has any."""
    found = [name for name, _ in _present(root)]
    return tuple(_twins(found, found[0])) if found else ()


def _defaults() -> Any:
    return msgspec.to_builtins(ConfigFile())


def _flat(made: Any, given: Any, path: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Yield every setting; of mappings whose keys are the user's what is written, a level deeper."""
    if path in OPEN:
        yield from _entries(given, path)
        return
    if not isinstance(made, dict):
        yield path, made
        return
    below = given if isinstance(given, dict) else {}
    for key, value in made.items():
        yield from _flat(value, below.get(key), (*path, key))


def _entries(given: Any, path: Key) -> Iterator[tuple[Key, Any]]:
    if not given:
        yield path, {}
        return
    for name, entry in given.items():
        if isinstance(entry, dict) and entry:
            yield from (((*path, name, key), value) for key, value in entry.items())
        else:
            yield (*path, name), entry


def _setting(
    path: Key, value: Any, given: Any, document: Document, environ: Mapping[str, str]
) -> Setting:
    """Return a setting as the file gives it, else as the packaged default."""
    if not _has(given, path):
        return Setting(key=key_name(path), value=value, origin=PACKAGED)
    used = [name for name in variables_in(value) if name in environ]
    more = f" with {', '.join(f'${name}' for name in used)}" if used else ""
    filled = _filled(value, environ)
    return in_file(path, filled, document.shown, document.marks, more)


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return expand(value, environ)
    if isinstance(value, (list, tuple)):
        return [_filled(item, environ) for item in value]
    return value


def _overridden(setting: Setting, path: Key, environ: Mapping[str, str]) -> Setting:
    """Return what the environment makes of a setting."""
    name = OVERRIDES.get(path, "")
    if not environ.get(name):
        return setting
    return Setting(key=setting.key, value=environ[name], origin=f"environment {name}")


def _has(value: Any, path: Key) -> bool:
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _present(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of aim_config that are there, the one that counts first."""
    for folder in FOLDERS:
        for name in NAMES:
            path = root / folder / name
            if path.exists() or path.is_symlink():
                yield f"{folder}/{name}", path


def _twins(found: list[str], source: str | None) -> list[str]:
    """Return the files beside the one that counts: they must agree with it, so they count too."""
    folder = (source or "").rpartition("/")[0]
    return [name for name in found if source and name.rpartition("/")[0] == folder]


# -- what is wrong -------------------------------------------------------------------------------
def check_config(
    root: Path,
    environ: Mapping[str, str],
    others: Callable[[], Collection[str]] = frozenset,
) -> Verdict:
    """Return everything that is wrong with aim_config, and with the registry and rules that it leads
    to; `others` as for `load_registry`. Nothing is raised for what is wrong."""
    present = list(_present(root))
    wrong = [found for _, path in present for found in _file_faults(path, root)]
    wrong += [] if wrong else _whole_faults(root, environ, others)
    warnings = [] if wrong else _warnings(root, present, environ)
    return Verdict(
        files=tuple(name for name, _ in present), errors=tuple(wrong), warnings=tuple(warnings)
    )


def check_file(path: Path, root: Path) -> Verdict:
    """Return what is wrong with one file, held against the schema of aim_config alone."""
    from penstock.config.documents import shown_name

    return Verdict(files=(shown_name(path, root),), errors=_file_faults(path, root))


def _file_faults(path: Path, root: Path) -> tuple[Fault, ...]:
    try:
        document = read_document(path, root)
        if document is None:
            raise ConfigFileError(str(path), ["there is no such file"])
        if document.value is not None:
            decode(document, ConfigFile)
    except ConfigFileError as error:
        return faults((error.file, problem) for problem in error.found)
    return ()


def _whole_faults(
    root: Path, environ: Mapping[str, str], others: Callable[[], Collection[str]]
) -> tuple[Fault, ...]:
    """Return what is wrong only when the files are taken together."""
    try:
        load_registry(root, environ=environ, others=others)
    except ConfigFileError as error:
        return faults((error.file, problem) for problem in error.found)
    except RegistryProblemsError as error:
        return faults(error.found)
    except AIMRegistryNotFoundError as error:
        return (Fault(message=str(error), key="registry_path"),)
    except PenstockError as error:
        return (Fault(message=str(error)),)
    return ()


def _warnings(
    root: Path, present: list[tuple[str, Path]], environ: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield what can be used but hardly means what was meant."""
    source = load_config(root, environ).settings.source
    counts = _twins([name for name, _ in present], source)
    for name, path in present:
        document = read_document(path, root)
        if name not in counts and document is not None and document.value is not None:
            yield Fault(file=name, message=f"is not read: {source} is there")
        elif document is not None:
            yield from _unset(document, environ)


def _unset(document: Document, environ: Mapping[str, str]) -> Iterator[Fault]:
    for path, name in unfilled(document.value, {**environ, VARIABLE: ""}):
        problem = document.problem(path, f"${name} is not set, so it stays as it is written")
        yield from faults([(document.shown, problem)])
