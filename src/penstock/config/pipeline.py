"""config/pipeline.yaml: the settings of a repository, and where each came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.config.decode import decode
from penstock.config.documents import ConfigFileError, Document, load_document
from penstock.config.places import choose_database
from penstock.model.settings import Origin, PipelineSettings

NAMES = ("config/pipeline.yaml", "config/pipeline.yml")
DEFAULT = "packaged default"


class Loaded(msgspec.Struct, frozen=True):
    """Settings, and for every key (`limits.wall_s`) the value and its source."""

    settings: PipelineSettings
    origins: Mapping[str, Origin]


def load_pipeline(
    root: Path, *, option_db: str | None = None, environ: Mapping[str, str] | None = None
) -> Loaded:
    """Read the settings of the repository at `root`: option > environment > file > default.

    `environ` None is the process's own. Raises ConfigError naming file and key of every error.
    """
    document = find_document(root, NAMES)
    settings, source = PipelineSettings(), DEFAULT
    if document is not None:
        settings, source = _decode(document), document.shown
    given = _given(document.value) if document is not None else frozenset()
    origins = {
        key: Origin(value=value, source=source if key in given else DEFAULT)
        for key, value in _flat(settings)
    }
    origins["db"] = choose_database(origins["db"], option_db, environ)
    settings = msgspec.structs.replace(settings, db=origins["db"].value)
    return Loaded(settings, origins)


def find_document(root: Path, names: tuple[str, ...]) -> Document | None:
    """Return the one of these files that there is, or None.

    Raises ConfigFileError when there are several: which one counts would be a guess.
    """
    found = [name for name in names if (root / name).exists() or (root / name).is_symlink()]
    if len(found) > 1:
        raise ConfigFileError(found[0], [f"{found[1]} is there too; keep one of them"])
    return load_document(root / found[0], root=root) if found else None


def _decode(document: Document) -> PipelineSettings:
    if document.value is None:  # an empty file, or one with comments only
        return PipelineSettings()
    return decode(document, PipelineSettings)


def _given(value: Any, prefix: str = "") -> frozenset[str]:
    """Return the dotted names of the keys that a file sets."""
    names: set[str] = set()
    for key, inner in (value or {}).items():
        names.add(prefix + key)
        if isinstance(inner, dict):
            names |= _given(inner, f"{prefix}{key}.")
    return frozenset(names)


def _flat(struct: msgspec.Struct, prefix: str = "") -> list[tuple[str, Any]]:
    """Return every setting by its dotted name; nested structs are walked into."""
    found: list[tuple[str, Any]] = []
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if isinstance(value, msgspec.Struct):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found
