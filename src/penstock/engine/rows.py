"""What the rows of the journal hold, where a script may have written them too."""

from __future__ import annotations

import msgspec

from penstock.model.bundle import Bundle
from penstock.model.records import Workstream
from penstock.typed import typed


def bundle_of(row: Workstream) -> Bundle | None:
    """Return the bundle that a workstream began with, None for a row that has none of that id: the
    documented functions take any metadata."""
    try:
        bundle = typed(row.metadata.get("bundle"), Bundle)
    except msgspec.ValidationError:
        return None
    return bundle if bundle.id == row.ws_id else None
