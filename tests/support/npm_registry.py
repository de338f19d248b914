"""An npm registry on this machine alone, with packages of our own making."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

PROGRAM = "#!/usr/bin/env node\nconsole.log('{name} {version}');\n"


class Registry:
    """What is published: a tarball for each name and version. `asked` are the paths that were."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._tarballs: dict[str, dict[str, bytes]] = {}

    def publish(self, name: str, *versions: str, program: str | None = None, **more: Any) -> None:
        """Add versions of a package whose program is called like it, or `program`."""
        command = program or name.rpartition("/")[2]
        for version in versions:
            manifest = {"name": name, "version": version, "bin": {command: "cli.js"}, **more}
            files = {
                "package/package.json": json.dumps(manifest),
                "package/cli.js": PROGRAM.format(name=name, version=version),
            }
            self._tarballs.setdefault(name, {})[version] = _tarball(files)

    def withdraw(self, name: str, version: str) -> None:
        """Take a version away, so that nobody can install it any more."""
        del self._tarballs[name][version]

    def answer(self, path: str) -> bytes | None:
        """Return what lies at a path, None for nothing."""
        self.asked.append(path)
        name, _, version = unquote(path).lstrip("/").partition("/-/")
        if version:
            return self._tarballs.get(name, {}).get(version.removesuffix(".tgz"))
        return self._packument(name) if name in self._tarballs else None

    def _packument(self, name: str) -> bytes:
        versions = {v: self._version(name, v, data) for v, data in self._tarballs[name].items()}
        latest = list(versions)[-1]
        return json.dumps(
            {"name": name, "dist-tags": {"latest": latest}, "versions": versions}
        ).encode()

    def _version(self, name: str, version: str, data: bytes) -> dict[str, Any]:
        integrity = base64.b64encode(hashlib.sha512(data).digest()).decode()
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            member = archive.extractfile("package/package.json")
            manifest: dict[str, Any] = json.loads(member.read() if member else b"{}")
        url = f"{self.url}/{name}/-/{version}.tgz"
        return {**manifest, "dist": {"tarball": url, "integrity": f"sha512-{integrity}"}}


def _tarball(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            data = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@contextmanager
def npm_registry() -> Iterator[Registry]:
    """Serve a registry while the block runs."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = registry.answer(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"{}")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
