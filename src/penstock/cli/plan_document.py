"""The JSON that `penstock plan` prints, as types: schema/plan-result.schema.json is made from them."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.planning.api import Changes
from penstock.planning.drafting.api import ItemCount, NeedsScope, PlanOptions
from penstock.planning.sources.api import Dialect, Notice


class SourceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was read. `path` counts from the top of the repository (`-` is standard input),
    `files` are the SHA-256 of all files read, by name; bundles carry `plan_id` as openspec_change."""

    dialect: Dialect
    id: str
    plan_id: str
    title: str
    path: str
    files: dict[str, str]


class BundleDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle, the file it goes to, and why it is where it is, in words.

    `bundle` is what workstream.schema.json describes; its `metadata.plan` says which items of the
    source it does, `metadata.evidence` how each of its paths was found.
    """

    file: str
    bundle: dict[str, Any]
    reasons: tuple[str, ...]


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock plan --json` prints.

    `items.total` is the sum of its other parts. `notices` come errors first. `waves` are the ids of what
    may run side by side, wave by wave. `written` is null where nothing was to be written.
    """

    sources: tuple[SourceDocument, ...]
    items: ItemCount
    bundles: tuple[BundleDocument, ...]
    needs_scope: tuple[NeedsScope, ...]
    notices: tuple[Notice, ...]
    waves: tuple[tuple[str, ...], ...]
    options: PlanOptions
    written: Changes | None


def plan_document(plain: dict[str, Any], written: Changes | None = None) -> dict[str, Any]:
    """Return the whole document: the plan as `Workspace.plan_document` gives it, and what was
    written."""
    return {**plain, "written": msgspec.to_builtins(written)}
