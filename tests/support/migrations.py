"""Migrations on old trees, with a real vault's folder; as a module it is a migration to be killed.

    python -m tests.support.migrations ROOT HOME STEP

kills itself with SIGKILL in the midst of writing its STEP-th file.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from penstock.config.decode import decode
from penstock.config.documents import parse_document
from penstock.migration import files
from penstock.migration.api import Check, Report, Restored, Validation
from penstock.migration.apply import apply, roll_back
from penstock.migration.files import Places
from penstock.migration.plan import Edges, Options
from penstock.registry.files import cleaned
from penstock.registry.survey import files_that_count
from penstock.registry.wire import ConfigFile
from penstock.vault import files as private_files
from penstock.vault.names import SecretNames
from penstock.vault.opening import open_vault
from tests.support.oldtrees import STAMP

FINE = Validation(checks=(Check(name="schema", status="pass", message="valid"),))
BROKEN = Validation(checks=(Check(name="schema", status="fail", message="not valid"),))


class Ground:
    """A repository with an old tree, and the user's folder."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home
        self.places = Places(root, home)
        self.desk = SecretNames(open_vault("age", {}, home), home)
        self.begun = 0
        self.said: list[str] = []

    @property
    def edges(self) -> Edges:
        """What a migration is given here."""
        return Edges(
            environ={},
            desk=self.desk,
            config_files=files_that_count(self.root),
            check_text=lambda text, name: check_text(text, name),
            mask=lambda text: text.replace("hunter2", "[REDACTED]"),
            before=self._begin,
            say=self.said.append,
        )

    def _begin(self) -> None:
        self.begun += 1

    def apply(
        self,
        *,
        now: str = STAMP,
        mark: bool = False,
        dry_run: bool = False,
        validation: Validation = FINE,
        vault: Path | None = None,
        source: Path | None = None,
    ) -> Report:
        """Apply a migration, by default of AI_MANGER."""
        folder = source or self.root / "AI_MANGER"
        options = Options(source=folder, vault=vault, mark_deprecated=mark, dry_run=dry_run)
        return apply(self.places, self.edges, options, now, lambda: validation)

    def roll_back(self, named: str | None = None) -> Restored:
        """Roll a migration back."""
        return roll_back(self.places, self.edges, named)


def check_text(text: str, name: str) -> None:
    """Hold a text against the schema of aim_config."""
    decode(cleaned(parse_document(text, name)), ConfigFile)


def die_at(step: int) -> None:
    """Kill this process while it writes its `step`-th file: the draft is there, the file is not."""
    left = [step]
    write_draft = files._write_draft

    def lethal(draft: Path, data: bytes, mode: int) -> None:
        left[0] -= 1
        if left[0] <= 0:
            write_draft(draft, data[: len(data) // 2], mode)
            os.kill(os.getpid(), signal.SIGKILL)
        write_draft(draft, data, mode)

    files._write_draft = lethal


def die_in_names() -> None:
    """Kill this process while it writes the names of secrets."""

    def lethal(draft: Path, data: bytes) -> None:
        draft.write_bytes(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    private_files._write_draft = lethal


def main() -> None:
    """Apply a migration and be killed in it."""
    root, home, step = sys.argv[1:4]
    if "--names" in sys.argv:
        die_in_names()
    elif "--whole" not in sys.argv:
        die_at(int(step))
    if "--rollback" in sys.argv:
        Ground(Path(root), Path(home)).roll_back()
    else:
        Ground(Path(root), Path(home)).apply(mark=True)


if __name__ == "__main__":
    main()
