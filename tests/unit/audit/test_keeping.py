"""Pruning, anchoring, and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from penstock.audit.keys import Signer, Verifier, key_path
from penstock.audit.seals import read_anchors
from penstock.errors import AIMAuditLogError
from tests.support.trails import DAY, Scene


def test_whole_days_are_dropped_oldest_first(scene: Scene) -> None:
    """Only days before the last two go; their checkpoints stay, and the rest verifies."""
    scene.three_days()
    report = scene.trail.prune(2)
    assert (report.days, report.entries) == (("2026-01-01",), 3)
    assert not scene.file("2026-01-01").exists()
    assert (scene.folder / "2026-01-01" / "checkpoint.json").exists()
    verified = scene.trail.verify()
    assert verified.ok, verified.damage
    assert (verified.pruned_days, verified.days) == (1, 2)
    assert "dropped the lines of 1 days" in scene.entries("2026-01-03")[-1]["message"]


def test_a_dry_run_drops_nothing(scene: Scene) -> None:
    """What would go is told."""
    scene.three_days()
    size = scene.file().stat().st_size
    report = scene.trail.prune(2, dry_run=True)
    assert (report.days, report.size_bytes) == (("2026-01-01",), size)
    assert scene.file().exists()
    assert len(scene.entries("2026-01-03")) == 3


def test_an_idle_trail_can_be_pruned(scene: Scene) -> None:
    """Days that nothing followed are closed first; what comes later chains on."""
    scene.three_days()
    scene.clock.forward(90 * DAY)
    report = scene.trail.prune(30)
    assert len(report.days) == 3
    assert scene.trail.prune(30).days == ()
    scene.call()
    verified = scene.trail.verify()
    assert verified.ok, verified.damage
    assert verified.pruned_days == 3


def test_pruning_without_anchors_verifies(tmp_path: Path) -> None:
    """Without a place for anchors, too, dropped days are known as dropped."""
    scene = Scene(tmp_path)
    scene.anchors = None  # type: ignore[assignment]
    scene.trail = scene.open()
    scene.three_days()
    scene.trail.prune(1)
    verified = scene.trail.verify()
    assert verified.ok, verified.damage
    assert "there is no anchor" in verified.notes[0]
    scene.trail.close()


def test_nothing_is_pruned_of_nothing(scene: Scene) -> None:
    """Where there is no trail, or no age is given, nothing happens."""
    assert scene.trail.prune(1).days == ()
    scene.three_days()
    assert scene.trail.prune(0).days == ()


def test_an_anchor_says_how_far_the_trail_is(scene: Scene) -> None:
    """Day, lines and hash are those of the last entry; an empty trail has none."""
    assert scene.trail.anchor() is None
    last = scene.calls(2)[-1]
    anchor = scene.trail.anchor()
    assert anchor is not None
    assert (anchor.date, anchor.count, anchor.head) == ("2026-01-01", 2, last)
    assert read_anchors(scene.anchors) == ([(1, anchor)], [])


def test_a_torn_anchor_is_passed_over(scene: Scene) -> None:
    """What a dying writer left of an anchor does not hurt the next one, but is told."""
    scene.calls(1)
    scene.trail.anchor()
    with scene.anchors.open("ab") as file:
        file.write(b'{"timest')
    assert scene.trail.verify().ok
    scene.trail.anchor()
    anchors, wrong = read_anchors(scene.anchors)
    assert ([line for line, _ in anchors], wrong) == ([1, 3], [2])


def test_an_unwritable_anchor_is_an_error(scene: Scene) -> None:
    """An anchor that cannot be written is never passed over in silence."""
    scene.calls(1)
    scene.anchors.parent.write_text("a file")
    with pytest.raises(AIMAuditLogError, match="anchor of the audit trail"):
        scene.trail.anchor()


# -- keys ------------------------------------------------------------------------------------
def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    """A first signature makes the key for its owner alone, and the public key beside it."""
    path = tmp_path / "keys" / "audit_ed25519"
    one, other = Signer(path, trail=tmp_path / "t"), Signer(path, trail=tmp_path / "t")
    assert one.key_id == other.key_id
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    load_pem_public_key(path.with_name("audit_ed25519.pub").read_bytes())
    assert sorted(p.name for p in path.parent.iterdir()) == ["audit_ed25519", "audit_ed25519.pub"]


def test_a_retired_key_stays_known(tmp_path: Path) -> None:
    """What an old key signed is accepted as long as its public key is kept."""
    path = tmp_path / "audit_ed25519"
    old = Signer(path, trail=tmp_path / "t")
    signature = old.sign(b"x")
    path.with_suffix(".pub").rename(tmp_path / "audit_ed25519-2025.pub")
    path.unlink()
    new = Signer(path, trail=tmp_path / "t")
    assert new.sign(b"x") != signature
    verifier = Verifier(path)
    assert verifier.accepts(old.key_id, b"x", signature)
    assert not verifier.accepts(new.key_id, b"x", signature)
    assert not verifier.accepts("0" * 16, b"x", signature)
    assert not verifier.accepts(old.key_id, b"x", "no base64!")


def test_a_lost_public_key_is_no_loss(tmp_path: Path) -> None:
    """The private key knows it too."""
    path = tmp_path / "audit_ed25519"
    signer = Signer(path, trail=tmp_path / "t")
    signature = signer.sign(b"x")
    path.with_suffix(".pub").unlink()
    assert Verifier(path).accepts(signer.key_id, b"x", signature)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_wrong_key_is_told(tmp_path: Path, content: bytes) -> None:
    """A file that holds no key is named, private or public."""
    path = tmp_path / "audit_ed25519"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(AIMAuditLogError, match="holds no Ed25519 key"):
        Signer(path, trail=tmp_path / "t").sign(b"x")
    path.with_suffix(".pub").write_bytes(content)
    with pytest.raises(AIMAuditLogError, match="holds no Ed25519 key"):
        Verifier(path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """The message says how to mend it."""
    path = tmp_path / "audit_ed25519"
    Signer(path, trail=tmp_path / "t").sign(b"x")
    path.chmod(0o644)
    with pytest.raises(AIMAuditLogError) as caught:
        Signer(path, trail=tmp_path / "t").sign(b"x")
    assert caught.value.hint == f"chmod 600 {path}"


def test_a_key_inside_the_trail_is_refused(tmp_path: Path) -> None:
    """Whoever can change the trail must not find the key there."""
    with pytest.raises(AIMAuditLogError, match="lies inside the trail"):
        Signer(tmp_path / "t" / "key", trail=tmp_path / "t")


def test_where_the_key_lies(tmp_path: Path) -> None:
    """The variable wins, then the folder of settings."""
    assert key_path({"PENSTOCK_AUDIT_KEY": "/k"}) == Path("/k")
    assert key_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/penstock/audit_ed25519")
    assert key_path({}) == Path("~/.config/penstock/audit_ed25519").expanduser()
    with pytest.raises(AIMAuditLogError, match="no place"):
        key_path({"XDG_CONFIG_HOME": "~nobody-of-that-name"})


def test_a_key_without_a_place_stops_before_a_run(scene: Scene) -> None:
    """Asking whether the trail can be written finds a key that cannot be made."""
    scene.key.parent.write_text("a file")
    with pytest.raises(AIMAuditLogError, match="audit key cannot be used"):
        scene.trail.require_writable()


def test_of_two_makers_of_a_key_one_wins(tmp_path: Path) -> None:
    """Whoever comes second uses the key of the first."""
    path = tmp_path / "audit_ed25519"
    first = Signer(path, trail=tmp_path / "t")
    signature = first.sign(b"x")
    first._make()
    assert Signer(path, trail=tmp_path / "t").sign(b"x") == signature
    assert not list(tmp_path.glob(".*"))


def test_a_key_of_another_kind_is_told(tmp_path: Path) -> None:
    """A key that cannot sign is no key for us."""
    path = tmp_path / "audit_ed25519"
    path.touch(mode=0o600)
    key = X25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(AIMAuditLogError, match="holds no Ed25519 key"):
        Signer(path, trail=tmp_path / "t").sign(b"x")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
    with pytest.raises(AIMAuditLogError, match="holds no Ed25519 key"):
        Verifier(path)


def test_a_trail_without_lines_goes_on_from_its_checkpoints(scene: Scene) -> None:
    """When all days were dropped and the head is lost, the last checkpoint says where it ended."""
    scene.three_days()
    head = scene.entries("2026-01-03")[-1]["hash"]
    scene.clock.forward(90 * DAY)
    trail = scene.open()
    trail.require_writable()
    trail.close()
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        scene.file(day).unlink()
    (scene.folder / ".head").unlink()
    trail.event("error", "on")
    trail.close()
    (file,) = scene.folder.glob("*/audit.jsonl")
    assert scene.entries(file.parent.name)[0]["prev"] == head


def test_an_unfinished_checkpoint_is_never_seen(scene: Scene) -> None:
    """A checkpoint that cannot be written raises and leaves nothing behind."""
    scene.calls(1)
    (scene.folder / "2026-01-01" / "checkpoint.json").mkdir()
    scene.clock.forward(DAY)
    with pytest.raises(AIMAuditLogError):
        scene.call()
    assert not list((scene.folder / "2026-01-01").glob(".checkpoint*"))
