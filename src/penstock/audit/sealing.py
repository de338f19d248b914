"""Sealing a trail: what is signed when a day is over, a run ends, or days are dropped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.audit import layout
from penstock.audit.api import Anchor, Checkpoint
from penstock.audit.head import Head
from penstock.audit.keys import Signer
from penstock.audit.line import stamp
from penstock.audit.seals import (
    pruned_through,
    read_checkpoint,
    signed_bytes,
    write_anchor,
    write_checkpoint,
)


class Sealer:
    """Writes checkpoints into a trail and anchors outside of it."""

    def __init__(
        self, folder: Path, signer: Signer, anchors: Path | None, now_us: Callable[[], int]
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._anchors = anchors
        self._now_us = now_us

    def close_day(self, ended: Head) -> None:
        """Sign what a day came to, inside and outside of the trail; once is enough."""
        path = layout.checkpoint_file(self._folder, ended.day)
        if read_checkpoint(path) is not None:
            return
        unsigned = Checkpoint(
            date=ended.day,
            count=ended.lines,
            head=ended.hash.decode(),
            key_id=self._signer.key_id,
            signature="",
        )
        signature = self._signer.sign(signed_bytes(unsigned))
        write_checkpoint(path, msgspec.structs.replace(unsigned, signature=signature))
        self.anchor(ended)

    def anchor(self, head: Head, *, dropped: str | None = None) -> Anchor | None:
        """Sign where the trail ends and write it outside, with up to which day lines are dropped.

        None where the trail has no line, or no place outside is known.
        """
        if self._anchors is None or not head.day:
            return None
        before = pruned_through(self._anchors)
        unsigned = Anchor(
            timestamp=stamp(max(self._now_us(), head.last_us)).decode(),
            date=head.day,
            count=head.lines,
            head=head.hash.decode(),
            pruned_through=max(before or "", dropped or "") or None,
            key_id=self._signer.key_id,
            signature="",
        )
        signature = self._signer.sign(signed_bytes(unsigned))
        anchor = msgspec.structs.replace(unsigned, signature=signature)
        write_anchor(self._anchors, anchor)
        return anchor

    def require_key(self) -> None:
        """Raise AIMAuditLogError when nothing could be signed."""
        self._signer.sign(b"")
