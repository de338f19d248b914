"""All rules for secrets, those with a provider's shape first."""

from __future__ import annotations

from penstock.leaks.clouds import CLOUDS
from penstock.leaks.models import MODELS
from penstock.leaks.named import PROVIDERS
from penstock.leaks.rule import Rule
from penstock.leaks.services import SERVICES
from penstock.leaks.structures import STRUCTURES
from penstock.leaks.works import WORKS

SHAPED: tuple[Rule, ...] = (*CLOUDS, *WORKS, *MODELS, *SERVICES)
"""Tokens that their own shape gives away, wherever they stand."""

PASSWORD, SECRET = (
    Rule(id=f"assigned-{what}", title=what, keywords=(), pattern=b"", level="default", named=True)
    for what in ("password", "secret")
)
"""What only the name before it gives away."""

RULES: tuple[Rule, ...] = (*SHAPED, *STRUCTURES, *PROVIDERS, PASSWORD, SECRET)
