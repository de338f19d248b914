"""The key that seals a trail: Ed25519, kept outside of it, made when it is first needed."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import AIMAuditLogError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

KEY_VARIABLE = "PENSTOCK_AUDIT_KEY"
KEY_NAME = "audit_ed25519"


def key_path(environ: Mapping[str, str] | None = None) -> Path:
    """Return where the private key lies: PENSTOCK_AUDIT_KEY, else penstock's folder of settings."""
    env = os.environ if environ is None else environ
    if given := env.get(KEY_VARIABLE):
        return Path(given).expanduser()
    base = env.get("XDG_CONFIG_HOME") or "~/.config"
    try:
        return Path(base).expanduser() / "penstock" / KEY_NAME
    except RuntimeError as error:
        raise AIMAuditLogError(
            f"the audit key has no place: {error}", hint=f"Set {KEY_VARIABLE} to a path."
        ) from error


class Signer:
    """Signs with the private key at a path; it is read, or made, at the first signature."""

    def __init__(self, path: Path, *, trail: Path) -> None:
        """Take the key's place, which must not be inside the trail. Raises AIMAuditLogError."""
        if path.resolve().is_relative_to(trail.resolve()):
            raise AIMAuditLogError(
                f"the audit key {path} lies inside the trail that it is to prove",
                hint=f"Set {KEY_VARIABLE} to a path outside of {trail}.",
            )
        self._path = path
        self._key: Ed25519PrivateKey | None = None

    @property
    def key_id(self) -> str:
        """The first 16 hex digits of the SHA-256 of the public key."""
        return _key_id(self._private().public_key())

    def sign(self, data: bytes) -> str:
        """Return the signature in base64. Raises AIMAuditLogError when there is no usable key."""
        return base64.b64encode(self._private().sign(data)).decode()

    def _private(self) -> Ed25519PrivateKey:
        if self._key is None:
            try:
                self._key = self._read_or_make()
            except OSError as error:
                raise AIMAuditLogError(
                    f"the audit key cannot be used: {error.filename}: {error.strerror}",
                    hint=f"Mend its permissions, or set {KEY_VARIABLE} to another path.",
                ) from error
        return self._key

    def _read_or_make(self) -> Ed25519PrivateKey:
        if not self._path.exists():
            self._make()
        mode = self._path.stat().st_mode
        if mode & 0o077:
            raise AIMAuditLogError(
                f"the audit key {self._path} can be read by others",
                hint=f"chmod 600 {self._path}",
            )
        return _load_private(self._path)

    def _make(self) -> None:
        """Make the key whole under another name first: of two makers one wins."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        _write_new(draft, pem, 0o600)
        try:
            self._path.hardlink_to(draft)
        except FileExistsError:
            return
        finally:
            draft.unlink()
        _publish(self._path, key.public_key())


class Verifier:
    """Checks signatures with the public keys beside a private key's place, and with that key's own.

    Keys that are no longer in use stay known as long as their `.pub` file, named `audit_ed25519*`,
    is kept there.
    """

    def __init__(self, path: Path) -> None:
        self._keys = {_key_id(key): key for key in _public_keys(path)}

    @property
    def knows_any(self) -> bool:
        """Tell whether there is a key at all."""
        return bool(self._keys)

    def knows(self, key_id: str) -> bool:
        """Tell whether the key of that id is known."""
        return key_id in self._keys

    def accepts(self, key_id: str, data: bytes, signature: str) -> bool:
        """Tell whether a known key of that id made the signature."""
        from cryptography.exceptions import InvalidSignature

        key = self._keys.get(key_id)
        if key is None:
            return False
        try:
            key.verify(base64.b64decode(signature, validate=True), data)
        except (InvalidSignature, ValueError):
            return False
        return True


def _public_keys(path: Path) -> list[Ed25519PublicKey]:
    """Read the public keys, and the private one's where it has lost its file."""
    try:
        keys = [_load_public(p) for p in sorted(path.parent.glob(f"{path.name}*.pub"))]
        if not keys and path.exists():
            keys.append(_load_private(path).public_key())
    except OSError as error:
        raise AIMAuditLogError(
            f"the audit key cannot be read: {error.filename}: {error.strerror}"
        ) from error
    return keys


def _key_id(key: Ed25519PublicKey) -> str:
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _publish(path: Path, key: Ed25519PublicKey) -> None:
    """Keep the public key beside the private one, for those who check."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write_new(path.with_name(f"{path.name}.pub"), pem, 0o644)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _load_private(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise _no_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return key


def _load_public(path: Path) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError as error:
        raise _no_key(path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path)
    return key


def _no_key(path: Path) -> AIMAuditLogError:
    return AIMAuditLogError(
        f"{path} holds no Ed25519 key in PEM form",
        hint="Move it away; the next signature makes another. What it signed then stays unproven.",
    )
