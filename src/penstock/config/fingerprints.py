"""The key of fingerprints, and the baseline of a repository that is told by them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from penstock.errors import ConfigError, EnvironmentProblem
from penstock.folders import aim_home, kept_key, replace_file
from penstock.leaks.baseline import KEY_BYTES, Baseline, decode, key_id

KEY_NAME = "fingerprint.key"
KEY_VARIABLE = "AIM_FINGERPRINT_KEY"
"""Holds a key (64 hex digits) that a team shares, in the place of the user's own."""
BASELINE_LIMIT = 64 << 20


def own_key(environ: Mapping[str, str] | None = None) -> bytes:
    """Return the key of this user: AIM_FINGERPRINT_KEY, else the one in AIM_HOME, made when missing.

    Raises ConfigError for a variable that holds none, EnvironmentProblem.
    """
    given = (os.environ if environ is None else environ).get(KEY_VARIABLE)
    if not given:
        return kept_key(aim_home(environ) / KEY_NAME)
    try:
        key = bytes.fromhex(given)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{KEY_VARIABLE} does not hold {2 * KEY_BYTES} hex digits",
            hint="make one: openssl rand -hex 32",
        )
    return key


def load_baseline(path: Path) -> Baseline | None:
    """Read the baseline at a path, None when there is none. Raises ConfigError."""
    try:
        if path.stat().st_size > BASELINE_LIMIT:
            raise ConfigError(f"{path} is too large for a baseline")
        return decode(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error


def key_for(baseline: Baseline | None, environ: Mapping[str, str] | None = None) -> bytes:
    """Return the key that the fingerprints of a baseline were made with.

    Raises ConfigError when it is another one than we have.
    """
    if baseline is not None and baseline.key is not None:
        return baseline.key
    key = own_key(environ)
    if baseline is not None and key_id(key) != baseline.key_id:
        raise ConfigError(
            f"the baseline was made with another key ({baseline.key_id}) than ours ({key_id(key)})",
            hint=(
                f"set {KEY_VARIABLE} to the key it was made with, or write it anew, with a key that "
                "travels with it: aim scan secrets --update-baseline --share-key"
            ),
        )
    return key


def write_baseline(path: Path, content: bytes) -> None:
    """Put a baseline in its place in one piece. Raises EnvironmentProblem."""
    try:
        replace_file(path, content)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {path}: {error.strerror}", hint="free space or mend permissions"
        ) from error
