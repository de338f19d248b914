"""All rules for secrets, those with a provider's shape first."""

from __future__ import annotations

from penstock.leaks.assignments import NAMED, STRUCTURES
from penstock.leaks.clouds import CLOUDS
from penstock.leaks.models import MODELS
from penstock.leaks.rule import Rule
from penstock.leaks.services import SERVICES
from penstock.leaks.works import WORKS

SHAPED: tuple[Rule, ...] = (*CLOUDS, *WORKS, *MODELS, *SERVICES)
"""Tokens that their own shape gives away, wherever they stand."""

RULES: tuple[Rule, ...] = (*SHAPED, *STRUCTURES, *NAMED)
