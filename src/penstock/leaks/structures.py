"""Secrets that what is around them gives away: keys in armour, web tokens, addresses."""

from __future__ import annotations

import base64

from penstock.leaks.rule import BEFORE, Rule

_BREAK = rb"(?:\\{1,4}[rn]|[\s\"',|>#*;]|\\\n)"
"""What stands between the lines of a key: line ends, also escaped ones, and marks of quoting."""
_HEADERS = rb"(?>(?:Proc-Type|DEK-Info|Version|Comment): [^\n\\]{1,120}" + _BREAK + rb"{1,64}){0,4}"

_ENCODED_HEADS = tuple(
    base64.b64encode(head[: len(head) // 3 * 3])
    for head in (
        b"-----BEGIN %bPRIVATE KEY--" % kind
        for kind in (b"", b"RSA ", b"EC ", b"DSA ", b"OPENSSH ", b"ENCRYPTED ")
    )
)

STRUCTURES: tuple[Rule, ...] = (
    Rule(
        id="private-key",
        title="private key",
        keywords=(b"-----BEGIN ",),
        pattern=rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        + _BREAK
        + rb"{1,64}+"
        + _HEADERS
        # without a way back: of a long text that looks like a key no byte is tried twice
        + rb"((?>[A-Za-z0-9+/=]{32,}+(?:"
        + _BREAK
        + rb"{1,64}+[A-Za-z0-9+/=]++)*+))"
        + _BREAK
        + rb"{0,64}-----END",
        group=1,
        entropy=3.5,
    ),
    Rule(
        id="private-key-in-base64",
        title="private key in base64",
        keywords=_ENCODED_HEADS,
        pattern=BEFORE
        + rb"((?:"
        + b"|".join(_ENCODED_HEADS)
        + rb")[A-Za-z0-9+/]{100,20000}+={0,2})",
        group=1,
        entropy=3.5,
    ),
    Rule(
        id="putty-private-key",
        title="PuTTY private key",
        keywords=(b"PuTTY-User-Key-File-",),
        pattern=rb"PuTTY-User-Key-File-[23]:(?s:.){1,4000}?Private-Lines: \d{1,4}\s{1,4}"
        rb"([A-Za-z0-9+/=\s]{32,8000}?)\s{1,4}Private-MAC",
        group=1,
        entropy=3.5,
    ),
    Rule(
        id="json-web-token",
        title="JSON web token",
        keywords=(b"eyJ",),
        pattern=BEFORE
        + rb"(eyJ[A-Za-z0-9_-]{10,2000}+\.eyJ[A-Za-z0-9_-]{10,2000}+\.[A-Za-z0-9_-]{20,2000}+)",
        group=1,
        entropy=3.0,
    ),
    Rule(
        id="address-with-password",
        title="password in an address",
        keywords=(b"://",),
        pattern=rb"://[^\s:@/\"'`<>\\]{0,100}+:([^\s@/\"'`<>\\]{6,200}+)@[A-Za-z0-9_.\[%-]",
        group=1,
        level="default",
    ),
    Rule(
        id="authorization-header",
        title="credentials of a header",
        keywords=(b"Bearer ", b"bearer ", b"Basic "),
        pattern=rb"(?:[Bb]earer|Basic) ((?=[A-Za-z_.~+/-]{0,200}+[0-9])"
        rb"[A-Za-z0-9_.~+/-]{16,2000}+={0,2})",
        group=1,
        entropy=3.5,
        level="default",
    ),
    Rule(
        id="docker-registry-password",
        title="password of a registry",
        keywords=(b'"auth"',),
        pattern=rb"\"auth\"\s{0,4}:\s{0,4}\"([A-Za-z0-9+/]{16,2000}={0,2})\"",
        group=1,
        entropy=3.0,
        level="default",
    ),
    Rule(
        id="npm-registry-token",
        title="token of a registry",
        keywords=(b":_authToken=", b":_password=", b":_auth="),
        pattern=rb":_(?:authToken|password|auth)=[ \t]{0,4}\"?([A-Za-z0-9+/_.-]{16,2000}={0,2})",
        group=1,
        entropy=3.0,
        level="default",
    ),
    Rule(
        id="command-with-password",
        title="password in a command",
        keywords=(b"curl ", b"sshpass -p", b"redis-cli ", b"mysql ", b"mysqldump "),
        pattern=rb"(?:curl [^\n]{0,200}?(?:-u|--user)[ =]?[\"']?[\w.@-]{1,64}:|sshpass -p ?[\"']?"
        rb"|redis-cli [^\n]{0,100}?-a [\"']?|mysql(?:dump)? [^\n]{0,100}?-p)"
        rb"((?=[^\s\"'$<{%]{0,200}[0-9])[^\s\"'$<{%]{8,200})",
        group=1,
        entropy=2.75,
        level="default",
    ),
    Rule(
        id="database-user-password",
        title="password of a user of a database",
        keywords=(b"IDENTIFIED BY ", b"identified by "),
        pattern=rb"(?i:identified by) (?:(?i:password) )?'((?=[^'\s]{0,200}[0-9])[^'\s]{8,200})'",
        group=1,
        entropy=2.75,
        level="default",
    ),
)
