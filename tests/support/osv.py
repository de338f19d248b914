"""A vulnerability service of our own that speaks the protocol of OSV (https://google.github.io/osv.dev/api/)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KNOWN = {
    "vulnerable": {
        "id": "PYSEC-2026-1",
        "aliases": ["CVE-2026-0001"],
        "summary": "Anybody may do anything",
        "details": "It never asks who is there.",
        "published": "2026-01-01T00:00:00Z",
        "affected": [
            {
                "package": {"name": "vulnerable", "ecosystem": "PyPI"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}
                ],
                "versions": ["1.0"],
            }
        ],
    }
}
"""What it knows, by the name of a package."""


class _Handler(BaseHTTPRequestHandler):
    """Answers `POST /v1/query`."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        name = json.loads(self.rfile.read(length))["package"]["name"]
        body = json.dumps({"vulns": [KNOWN[name]]} if name in KNOWN else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
        """Say nothing."""


@contextmanager
def osv_service() -> Iterator[str]:
    """Run the service; give the address for queries."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
