"""What a migration would write: everything is made and checked before anything is touched."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.config.documents import parse_document
from penstock.config.edit import edit_text
from penstock.config.problems import Key
from penstock.migration import files
from penstock.migration.api import (
    REPORT_JSON,
    REPORT_MD,
    Mapped,
    SecretsDesk,
    Unmapped,
    silent,
)
from penstock.migration.deprecate import MARK, mark_readme, mark_script
from penstock.migration.files import Base, Name, Places
from penstock.migration.legacy import decoded, read_legacy
from penstock.migration.mapping import map_settings, secret_keys

DEFAULT_CONFIG = "config/aim_config.json"
FRESH = {".json": '{\n  "version": "1.0"\n}\n'}
"""What an aim_config begins with that was not there."""
METADATA = "secrets_metadata.json"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for: the old tree (a folder), its vault's file, whether to mark it."""

    source: Path
    vault: Path | None = None
    mark_deprecated: bool = False
    dry_run: bool = False


class Edges(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration needs of other rooms.

    `config_files` are those of aim_config that count, from the top of the repository; `check_text`
    raises ConfigError for the text of a wrong one, named by its second argument; `mask` takes secrets
    out of text; `before` is called before anything is changed, and may raise; `say` is told what is
    begun.
    """

    environ: Mapping[str, str]
    desk: SecretsDesk
    config_files: tuple[str, ...]
    check_text: Callable[[str, str], None]
    mask: Callable[[str], str]
    before: Callable[[], None]
    say: Callable[[str], None] = silent


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be written, in order, and what is said of it. `secrets` are all keys of the old tree,
    `entered` those that are not known yet, each with what it is."""

    shown: str
    writes: dict[Name, bytes]
    mapped: tuple[Mapped, ...]
    unmapped: tuple[Unmapped, ...]
    secrets: tuple[str, ...]
    entered: dict[str, str]
    warnings: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to be done."""
        return not self.writes and not self.entered


def make_plan(places: Places, edges: Edges, options: Options) -> Plan:
    """Return what is to be done. Raises NotFoundError without an old tree, ConfigError for a file that
    is wrong or would become so, SecretsError when it cannot be told which secrets there are."""
    shown = shown_source(places, options.source)
    legacy = read_legacy(options.source, shown, edges.environ, options.vault)
    old = legacy.document.value
    texts = {name: config_text(places, name) for name in edges.config_files or (DEFAULT_CONFIG,)}
    first = next(iter(texts))
    existing = parse_document(texts[first][0], first).value or {}
    outcome = map_settings(old, existing, edges.environ)
    keys, about_secrets = secret_keys(old, legacy.vault_names)
    known = edges.desk.known()
    writes = _config_writes(texts, outcome.changes, edges)
    about_notice: list[str] = []
    if options.mark_deprecated:
        writes |= _notices(places, options.source, shown, about_notice)
    return Plan(
        shown=shown,
        writes=writes,
        mapped=tuple(_masked_value(item, edges.mask) for item in outcome.mapped),
        unmapped=tuple(_masked_value(item, edges.mask) for item in outcome.unmapped),
        secrets=tuple(sorted(keys)),
        entered={
            key: f"{name} of {shown}; its value is to be entered again"
            for key, name in sorted(keys.items())
            if key not in known
        },
        warnings=(*legacy.warnings, *about_secrets, *about_notice),
    )


def shown_source(places: Places, source: Path) -> str:
    """Return how the old tree is called: from the top of the repository when it lies there."""
    folder = source.resolve()
    inside = folder.is_relative_to(places.repository)
    return folder.relative_to(places.repository).as_posix() if inside else str(folder)


def affected(places: Places, edges: Edges, source: Path) -> tuple[Name, ...]:
    """Return every file that a migration may change, whether it is there or not."""
    names = [*(edges.config_files or (DEFAULT_CONFIG,)), REPORT_JSON, REPORT_MD]
    folder = source.resolve()
    if folder.is_relative_to(places.repository):
        found = [_readme(folder), folder / "build.ps1", *_scripts(folder)]
        found += sorted((folder / "config").glob("*.json"))
        names += [path.relative_to(places.repository).as_posix() for path in found]
    return (*(Name(Base.REPOSITORY, name) for name in names), Name(Base.AIM_HOME, METADATA))


# -- aim_config ----------------------------------------------------------------------------------
def config_text(places: Places, name: str) -> tuple[str, bool]:
    """Return the text of a file of aim_config, or of a fresh one, and whether it has a byte order
    mark."""
    data = files.read(places.path(Name(Base.REPOSITORY, name)))
    if data is None:
        return FRESH.get(Path(name).suffix, ""), False
    return decoded(data, name), data.startswith(codecs.BOM_UTF8)


def _config_writes(
    texts: Mapping[str, tuple[str, bool]], changes: Mapping[Key, Any], edges: Edges
) -> dict[Name, bytes]:
    """Return the files of aim_config with the changes, each checked as a whole."""
    if not changes:
        return {}
    made: dict[Name, bytes] = {}
    for name, (text, marked) in texts.items():
        changed = edit_text(text, name, changes)
        edges.check_text(changed, name)
        made[Name(Base.REPOSITORY, name)] = changed.encode("utf-8-sig" if marked else "utf-8")
    return made


# -- the notice ----------------------------------------------------------------------------------
def _notices(places: Places, source: Path, shown: str, about: list[str]) -> dict[Name, bytes]:
    """Return the README and the build script with the notice, where they have none."""
    if not source.resolve().is_relative_to(places.repository):
        about.append(f"{shown} is outside of the repository and was not marked")
        return {}
    made: dict[Name, bytes] = {}
    for path in (_readme(source.resolve()), *_scripts(source.resolve())):
        name = Name(Base.REPOSITORY, path.relative_to(places.repository).as_posix())
        data = files.read(places.path(name)) or b""
        marked = _marked(data, name)
        if marked is None:
            about.append(f"{name} is signed and was not marked: a change would break its signature")
        elif marked != data:
            made[name] = marked
    if not _scripts(source.resolve()):
        about.append(f"{shown} has no build.ps1 that could be marked")
    return made


def _marked(data: bytes, name: Name) -> bytes | None:
    """Return a file with the notice, in the encoding that it has."""
    text = decoded(data, str(name))
    made = mark_script(text) if name.path.lower().endswith(".ps1") else mark_readme(text)
    if made is None or MARK in text:
        return data if made is not None else None
    if data.startswith(codecs.BOM_UTF8):
        return made.encode("utf-8-sig")
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return mark + made.encode(encoding)
    return made.encode()


def _readme(folder: Path) -> Path:
    return next(iter(_called(folder, "readme.md")), folder / "README.md")


def _scripts(folder: Path) -> list[Path]:
    return _called(folder, "build.ps1")


def _called(folder: Path, name: str) -> list[Path]:
    """Return the file of a name in any case, as Windows would find it."""
    return [path for path in sorted(folder.glob("*.*")) if path.name.lower() == name][:1]


# -- masks ---------------------------------------------------------------------------------------
def _masked_value(item: Any, mask: Callable[[str], str]) -> Any:
    """Return what is said of a setting with its value masked: reports are kept and shown around."""
    return msgspec.structs.replace(item, value=masked(item.value, mask))


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """Return a value with the secrets taken out of all of its texts."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [masked(item, mask) for item in value]
    if isinstance(value, dict):
        return {mask(name): masked(inner, mask) for name, inner in value.items()}
    return value
