"""The packages over which the secret scan is measured, and what is known to be found in them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGES = (
    "ansible-core==2.19.14",
    "apache-airflow-providers-amazon==9.39.0",
    "Authlib==1.9.8",
    "azure-identity==1.27.0",
    "azure-storage-blob==12.31.1",
    "boto3==1.44.5",
    "botocore==1.44.5",
    "celery==5.7.0",
    "checkov==3.3.30",
    "datadog==0.56.0",
    "discord.py==2.7.1",
    "Django==5.2.19",
    "fastapi==0.165.0",
    "Flask==3.1.3",
    "google-auth==2.62.2",
    "google-cloud-storage==3.17.1",
    "huggingface-hub==2.4.0",
    "hvac==2.4.0",
    "joserfc==1.8.0",
    "langchain-community==0.4.2",
    "mitmproxy==11.0.2",
    "moto==5.2.5",
    "msal==1.39.0",
    "notebook==7.6.5",
    "oauthlib==4.0.1",
    "paramiko==5.1.0",
    "pip==26.3",
    "PyGithub==2.10.0",
    "Pygments==2.21.0",
    "PyJWT==2.15.1",
    "pytest==9.2.0",
    "python-gitlab==8.6.0",
    "python-telegram-bot==22.8",
    "requests==2.34.2",
    "Scrapy==2.19.0",
    "sendgrid==6.12.5",
    "sentry-sdk==2.75.0",
    "setuptools==84.2.1",
    "slack-sdk==3.47.0",
    "trustme==1.2.1",
    "Twisted==26.10.0",
    "Werkzeug==3.1.9",
)
KNOWN = Path(__file__).with_name("secret_findings.tsv")


class Text(NamedTuple):
    """One text of a package: its path below the folder of all packages, and its bytes."""

    path: str
    data: bytes


def fetch(folder: Path) -> Path:
    """Download the packages that are not there yet, unpack them, return the folder of them all."""
    wheels, trees = folder / "wheels", folder / "trees"
    wheels.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        tree = trees / package
        if tree.is_dir():
            continue
        target = wheels / package
        pip = (sys.executable, "-m", "pip", "download", "-qq", "--no-deps")
        only = ("--only-binary", ":all:", "--python-version", "3.11", "--platform", "any")
        subprocess.run((*pip, *only, "--dest", str(target), package), check=True)
        with zipfile.ZipFile(next(target.glob("*.whl"))) as wheel:
            wheel.extractall(half := trees / f".{package}")
        half.rename(tree)
    return trees


def texts(root: Path) -> Iterator[Text]:
    """Yield the texts of the packages: all files with no NUL among their first 8 KiB."""
    for package in sorted(PACKAGES):
        for path in sorted((root / package).rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                if b"\0" not in data[:8192]:
                    yield Text(path.relative_to(root).as_posix(), data)


def known() -> dict[tuple[str, int, str], str]:
    """What was found, looked at and explained: place and rule to explanation."""
    lines = KNOWN.read_text(encoding="utf-8").splitlines()[1:] if KNOWN.exists() else []
    rows = (line.split("\t") for line in lines)
    return {(path, int(line), rule): why for path, line, rule, why in rows}
