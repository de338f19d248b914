"""An AI_MANGER tree as it lies there: its configuration, and the names in its vault."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.config.documents import MAX_BYTES, ConfigFileError, Document, parse_document
from penstock.errors import EnvironmentProblem, NotFoundError
from penstock.migration.api import TOOLSTACK

USUAL_VAULT = r"%LOCALAPPDATA%\CLI_Vault\vault.json"
NO_VAULT = (
    "the old vault was not found here, so names are those of Secrets.EnvMap alone: copy its vault.json"
    " and pass --vault FILE to have the others"
)
_VARIABLE = re.compile(r"%([^%]+)%|\$env:(\w+)", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Legacy(msgspec.Struct, frozen=True, kw_only=True):
    """What the old tree says. `vault_names` are names only: the values are never kept.

    `vault` says for people where the names are from, None when no vault could be read.
    """

    folder: Path
    document: Document
    vault: str | None = None
    vault_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_legacy(
    folder: Path, shown: str, environ: Mapping[str, str], vault: Path | None = None
) -> Legacy:
    """Read the tree in `folder`, called `shown`; `vault` names the vault's file instead of the tree.

    Text may be in UTF-8 or UTF-16, as Windows writes it. Raises NotFoundError where there is no such
    tree, ConfigFileError for a wrong file.
    """
    path = folder / TOOLSTACK
    name = f"{shown}/{TOOLSTACK}"
    data = _content(path, name)
    if data is None:
        raise NotFoundError(
            f"there is no {name}",
            hint="Name the AI_MANGER folder: aim migrate apply --source FOLDER",
        )
    document = _parsed(data, name)
    place = vault or _vault_place(document.value, folder, environ)
    names, warnings = _vault_names(place, named=vault is not None)
    others = sorted(p.name for p in path.parent.glob("*.json") if p.name != path.name)
    warnings += [f"{shown}/config/{other} is not known, nothing of it is used" for other in others]
    return Legacy(
        folder=folder,
        document=document,
        vault=None if names is None else str(place),
        vault_names=names or (),
        warnings=tuple(warnings),
    )


def decoded(data: bytes, shown: str) -> str:
    """Return a text in UTF-8 or UTF-16, by its mark. Raises ConfigFileError for anything else."""
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ConfigFileError(shown, ["is neither UTF-8 nor UTF-16 text"]) from error


def _parsed(data: bytes, shown: str) -> Document:
    document = parse_document(decoded(data, shown), shown)
    if not isinstance(document.value, dict):
        raise ConfigFileError(shown, [document.problem((), "expected a mapping")])
    return document


def _content(path: Path, shown: str) -> bytes | None:
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > MAX_BYTES:
            raise ConfigFileError(shown, [f"is larger than {MAX_BYTES // 1024} KiB"])
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {shown}: {error.strerror}") from error


# -- the vault -----------------------------------------------------------------------------------
def _vault_place(value: Any, folder: Path, environ: Mapping[str, str]) -> Path | None:
    """Return where the vault's file should be, None when a variable in its path is not set."""
    stated = member(member(value, "Secrets"), "VaultPath")
    text = expanded(stated if isinstance(stated, str) and stated else USUAL_VAULT, environ)
    return None if text is None else folder / text


def expanded(text: str, environ: Mapping[str, str]) -> str | None:
    """Return a path of Windows with its variables filled and `/` between its parts; None when one is
    not set. Variables have no case there."""
    variables = {name.upper(): value for name, value in environ.items()}
    names = [(found[1] or found[2]).upper() for found in _VARIABLE.finditer(text)]
    if not all(name in variables for name in names):
        return None
    filled = _VARIABLE.sub(lambda found: variables[(found[1] or found[2]).upper()], text)
    return filled.replace("\\", "/")


def _vault_names(place: Path | None, *, named: bool) -> tuple[tuple[str, ...] | None, list[str]]:
    """Return the names in a vault, and what people should know."""
    data = None if place is None else _content(place, str(place))
    if data is None and named:
        raise NotFoundError(f"there is no vault {place}", hint="Name its vault.json with --vault.")
    if data is None:
        return None, [NO_VAULT]
    names = tuple(dict.fromkeys(_names(_json(data, str(place)))))
    return names, [] if names else [f"{place} holds no names that are known"]


def _json(data: bytes, shown: str) -> Any:
    """Return the vault's JSON. A mistake in it is told without a piece of it."""
    try:
        return msgspec.json.decode(decoded(data, shown).encode())
    except msgspec.DecodeError as error:
        raise ConfigFileError(shown, ["is no JSON"], hint="Copy it again.") from error


def _names(value: Any) -> Iterator[str]:
    """Yield names of `{name: value}`, and of lists of objects that have a name."""
    if isinstance(value, dict):
        yield from (str(name) for name in value if name)
    elif isinstance(value, list):
        found = (member(item, "Name") for item in value)
        yield from (name for name in found if isinstance(name, str) and name)


# -- reading as PowerShell does --------------------------------------------------------------------
def member(value: Any, name: str) -> Any:
    """Return a member of an object whatever the case of its name, None when it has none."""
    if not isinstance(value, dict):
        return None
    return next((inner for key, inner in value.items() if key.lower() == name.lower()), None)
