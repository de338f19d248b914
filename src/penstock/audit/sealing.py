"""Sealing a trail: what is signed when a day is over, a run ends, or days are dropped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from penstock.audit import layout
from penstock.audit.api import Anchor, Checkpoint, Pruned
from penstock.audit.head import Head
from penstock.audit.keys import Signer
from penstock.audit.line import stamp
from penstock.audit.seals import (
    S,
    read_checkpoint,
    signed_bytes,
    write_anchor,
    write_seal,
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
        point = Checkpoint(
            date=ended.day, count=ended.lines, head=ended.hash.decode(), key_id="", signature=""
        )
        write_seal(path, self._signed(point))
        self.anchor(ended)

    def anchor(self, head: Head) -> Anchor | None:
        """Sign where the trail ends and write it outside.

        None where the trail has no line, or no place outside is known.
        """
        if self._anchors is None or not head.day:
            return None
        anchor = self._signed(
            Anchor(
                timestamp=stamp(max(self._now_us(), head.last_us)).decode(),
                date=head.day,
                count=head.lines,
                head=head.hash.decode(),
                key_id="",
                signature="",
            )
        )
        write_anchor(self._anchors, anchor)
        return anchor

    def prune(self, through: str) -> None:
        """Sign that the days up to there are dropped on purpose."""
        pruned = self._signed(Pruned(through=through, key_id="", signature=""))
        write_seal(self._folder / layout.PRUNED, pruned)

    def require_key(self) -> None:
        """Raise AIMAuditLogError when nothing could be signed."""
        self._signer.sign(b"")

    def _signed(self, seal: S) -> S:
        named = msgspec.structs.replace(seal, key_id=self._signer.key_id)
        return msgspec.structs.replace(named, signature=self._signer.sign(signed_bytes(named)))
