"""Safety, the service that is asked in place of the package index by those who have a key for it."""

from __future__ import annotations

import os

import msgspec

from penstock.checks.plugins.declared import ManifestPlugin
from penstock.model.finding import Category, Severity
from penstock.model.manifest import Manifest, OutputSpec, ToolSpec

KEY = "SAFETY_API_KEY"
_VULNERABLE = 64
"""The exit code when vulnerabilities were found."""


def safety(manifest: Manifest) -> ManifestPlugin | None:
    """Return the plugin that lets `safety scan` look at a folder; None without a key in the
    environment."""
    key = os.environ.get(KEY)
    if not key:
        return None
    tool = ToolSpec(
        command="safety",
        arguments=("scan", "--output", "json", "--target"),
        findings_codes=(_VULNERABLE,),
        timeout_s=180,
        distribution="safety",
        install="pip install safety",
        env={KEY: key},  # never an argument, which everybody could read
    )
    output = OutputSpec(reader="safety", category=Category.SECURITY, severity=Severity.ERROR)
    return ManifestPlugin(msgspec.structs.replace(manifest, tool=tool, output=output))
