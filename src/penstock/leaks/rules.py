"""All rules for secrets, those with a provider's shape first."""

from __future__ import annotations

from penstock.leaks.clouds import CLOUDS
from penstock.leaks.models import MODELS
from penstock.leaks.rule import Rule
from penstock.leaks.services import SERVICES
from penstock.leaks.structures import STRUCTURES
from penstock.leaks.works import WORKS

SHAPED: tuple[Rule, ...] = (*CLOUDS, *WORKS, *MODELS, *SERVICES)
"""Tokens that their own shape gives away, wherever they stand."""

NAMED: tuple[Rule, ...] = (
    Rule(
        id="assigned-password",
        title="password",
        keywords=(b"pass", b"pwd"),
        pattern=rb"",
        level="default",
    ),
    Rule(
        id="assigned-secret",
        title="secret",
        keywords=(b"secret", b"token", b"key", b"credential"),
        pattern=rb"",
        level="default",
    ),
)
"""Values that only the name before them gives away: see `penstock.leaks.assignments`."""

RULES: tuple[Rule, ...] = (*SHAPED, *STRUCTURES, *NAMED)
