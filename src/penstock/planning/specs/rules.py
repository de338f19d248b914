"""Which module and phase a category of tags belongs to: the packaged table, and that of the user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, field

from penstock.config.decode import decode
from penstock.config.documents import ConfigFileError, Document
from penstock.config.pipeline import find_document
from penstock.config.problems import Key
from penstock.planning.specs.api import TBD, Target

NAMES: Final = ("config/spec_mapping.yaml", "config/spec_mapping.yml")

PACKAGED: Final[Mapping[str, Target]] = {
    "DB": Target(module="src/pipeline/db.py", phase="PH-02"),
    "DATABASE": Target(module="src/pipeline/db.py", phase="PH-02"),
    "STATE": Target(module="src/pipeline/db.py", phase="PH-02"),
    "SCHEMA": Target(module="schema/schema.sql", phase="PH-02"),
    "PROMPT": Target(module="src/pipeline/prompts.py", phase="PH-03"),
    "TOOL": Target(module="src/pipeline/tools.py", phase="PH-03"),
    "ADAPTER": Target(module="src/pipeline/tools.py", phase="PH-03"),
    "PROFILE": Target(module="src/pipeline/tools.py", phase="PH-03"),
    "ORCHESTRATOR": Target(module="src/pipeline/{name}.py", phase="PH-04"),
    "SCHEDULER": Target(module="src/pipeline/{name}.py", phase="PH-04"),
    "EXECUTOR": Target(module="src/pipeline/{name}.py", phase="PH-04"),
    "CB": Target(module="src/pipeline/circuit_breakers.py", phase="PH-05"),
    "CIRCUIT": Target(module="src/pipeline/circuit_breakers.py", phase="PH-05"),
    "RECOVERY": Target(module="src/pipeline/recovery.py", phase="PH-05"),
    "WORKTREE": Target(module="src/pipeline/worktree.py", phase="PH-06"),
    "BUNDLE": Target(module="src/pipeline/bundles.py", phase="PH-06"),
    "SPEC": Target(module="src/pipeline/spec_index.py", phase="PH-01"),
    "INDEX": Target(module="src/pipeline/spec_index.py", phase="PH-01"),
    "STUB": Target(module="src/pipeline/spec_index.py", phase="PH-01"),
    "CONFIG": Target(module="config/"),
    "DOC": Target(module="docs/"),
    "DOCS": Target(module="docs/"),
    "TEST*": Target(module="tests/pipeline/test_{name}.py"),
    "SCRIPT*": Target(module="scripts/"),
}
"""A key that ends in * is a beginning, and serves categories that nothing else names."""
OTHER: Final = Target(module="src/pipeline/")

_CATEGORY: Final = re.compile(r"[A-Z]+\*?")
Module = Annotated[str, Meta(min_length=1)]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the user's table."""

    module: Module
    phase: str = TBD


class MappingFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """config/spec_mapping.yaml: `categories` replace or add rows by their key, `other` serves the
    rest, `packaged` false leaves the packaged table out."""

    packaged: bool = True
    categories: dict[str, Row] = field(default_factory=dict)
    other: Row | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """A table of categories: whole names first, then beginnings, the longest first, then `other`."""

    categories: Mapping[str, Target]
    other: Target

    def target(self, category: str, subcategory: str = "") -> Target:
        """Return what a category maps to; the words of a subcategory count where it maps to nothing
        of its own, by their beginnings."""
        found = self.categories.get(category)
        for word in (category, *filter(None, subcategory.split("-"))):
            found = found or self._beginning(word)
        chosen = found or self.other
        module = chosen.module.replace("{name}", category.lower())
        return msgspec.structs.replace(chosen, module=module)

    def _beginning(self, word: str) -> Target | None:
        fitting = [k for k in self.categories if k.endswith("*") and word.startswith(k[:-1])]
        return self.categories[max(fitting, key=len)] if fitting else None


DEFAULT: Final = Rules(categories=PACKAGED, other=OTHER)


def load_rules(root: Path) -> Rules:
    """Return the rules of a repository: the packaged table under that of config/spec_mapping.yaml.

    Raises ConfigFileError that lists every error of the file.
    """
    document = find_document(root, NAMES)
    if document is None or document.value is None:
        return DEFAULT
    given = decode(document, MappingFile)
    _check(document, given)
    own = {key: _target(row) for key, row in given.categories.items()}
    return Rules(
        categories={**PACKAGED, **own} if given.packaged else own,
        other=_target(given.other)
        if given.other
        else (OTHER if given.packaged else Target(module=TBD)),
    )


def _target(row: Row) -> Target:
    return Target(module=row.module, phase=row.phase)


def _check(document: Document, given: MappingFile) -> None:
    """Refuse keys that are no category, and modules that lie elsewhere than in the repository."""
    rows: dict[Key, Row] = {("categories", key): row for key, row in given.categories.items()}
    if given.other is not None:
        rows["other",] = given.other
    wrong = [
        document.problem(("categories", key), "is no category: capital letters, then perhaps *")
        for key in given.categories
        if not _CATEGORY.fullmatch(key)
    ]
    wrong += [
        document.problem((*key, "module"), f"{row.module!r} is not a path within the repository")
        for key, row in rows.items()
        if row.module.startswith(("/", "~")) or ".." in row.module.replace("\\", "/").split("/")
    ]
    if wrong:
        raise ConfigFileError(document.shown, wrong)
