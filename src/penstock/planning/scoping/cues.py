"""What the words around a path say of it: that it is new, to be changed, or only to be read."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

_KINDS: Final = (
    r"(?:(?:a|an|the|new|empty|initial|blank|file|files|module|script|page|component|test|tests|class"
    r"|config|configuration|migration|folder|directory|document|named|called|at|in|under)(?:\s+|\s*:\s*))*"
)
_MARKS: Final = r"[`\"'*_(\[\uff08]*$"
_VERB: Final = (
    r"(?<!not )(?<!n't )(?<!never )(?<!without )\b"
    r"(?:creat(?:e|es|ed|ing)|scaffold(?:s|ed|ing)?|generat(?:e|es|ed|ing))"
)
_VERB_CJK: Final = r"(?<!\u4e0d)(?<!\u4e0d\u8981)(?:新建|创建|建立|新增|新規作成|新規|添加新)"
_NEW_BEFORE: Final = re.compile(
    rf"(?:{_VERB}|\bnew)(?:\s+|:\s*){_KINDS}{_MARKS}"
    rf"|{_VERB_CJK}(?:一个|文件|目录|ファイル|:|\uff1a)*\s*{_MARKS}",
    re.IGNORECASE,
)
_ADDED_BEFORE: Final = re.compile(
    rf"\b(?:add|adds|added|adding|introduce|introduces|touch)(?:\s+|:\s*){_KINDS}{_MARKS}"
    rf"|\b(?:mov|renam|extract|split|cop[yi])\w*\b.*(?:\b(?:to|into|as)\s+|[-=]+>|\u2192)\s*{_KINDS}{_MARKS}"
    rf"|(?:移动|重命名|提取|拆分).*[到为至]\s*{_MARKS}",
    re.IGNORECASE,
)
_CLOSED: Final = r"\s*[)\],;:\uff09\u3011\uff0c\uff1b]"
_NEW_AFTER: Final = re.compile(
    r"[`\"'*_]*\s*(?:"
    r"[(\[\uff08\u3010]\s*(?:"
    r"(?:brand[- ])?new(?:\s+(?:file|module|script|page|component|class|test|folder|directory))?"
    r"|create|created|to be created|to create|新(?:建|增|规|規)?(?:作成)?(?:文件|ファイル)?"
    rf"){_CLOSED}"
    r"|[-\u2013\u2014:]+\s*(?:new|create)\b"
    r"|(?:という)?(?:ファイル|文件|フォルダ)?\s*を?\s*(?:新規)?(?:作成|新規追加)"
    r")",
    re.IGNORECASE,
)
_MAKING: Final = re.compile(
    rf"{_VERB}|(?:^\W*|\b(?:add|implement|write|introduc|build)(?:e|s|es|ing)?\s+(?:a\s+|an\s+|the\s+)?)new\b"
    rf"|{_VERB_CJK}|作成",
    re.IGNORECASE,
)
_CHANGING: Final = re.compile(
    r"(?:^\W*|\b(?:and|or|then|to|plus)\s+|[,&:]\s*)(?:also\s+)?"
    r"(?:updat|modify|edit|chang|fix|refactor|extend|adjust|remov|delet|renam|mov|replac|integrat"
    r"|wir|hook|regist)\w*"
    r"|修改|更新|编辑|変更|修正|编写|调整|删除|削除",
    re.IGNORECASE,
)
_READING: Final = re.compile(
    r"(?:\bsee(?:\s+also)?|\bper\b|\bin\s+line\s+with|\brefer(?:s|ring)?(?:\s+to)?|\bcf\.?|\baccording\s+to|\breview"
    r"|\b(?:described|defined|documented|specified|shown|outlined|as|like|same\s+as|done)\s+in"
    r"|\bsimilar\s+to|\bpatterns?\s+(?:of|in|from)|\bmodell?ed\s+(?:on|after)|\bbased\s+on"
    r"|\bread(?:s|ing)?(?:\s+from)?|\bconsult(?:s|ing)?"
    rf"|参考|参照|参见|按照|依照|根据|阅读)\s*(?:(?:the|file|existing)\s+)*{_MARKS}",
    re.IGNORECASE,
)
_READING_AFTER: Final = re.compile(
    r"[`\"'*_]*\s*(?:を(?:参照|参考)|[(\[\uff08]\s*(?:read[- ]only|reference|参考)"
    rf"{_CLOSED})",
    re.IGNORECASE,
)
_CLAUSE: Final = re.compile(r"[.;!?]\s|[\u3002\uff1b\uff01\uff1f]|\bthen\b")
_FAR: Final = 400
"""Characters before a path beyond which nothing is said of it."""
_LIST: Final = re.compile(
    r"[`\"'*_\s]*(?:,|\u3001|\uff0c|&|\+|/)?\s*(?:and|or|plus|as\s+well\s+as|和|与|及|以及|と|や)?[`\"'*_\s]*"
)


class Cue(Enum):
    """What the words say: the path itself is new, something new comes there, or none of it."""

    NEW = "new"
    MAKING = "making"
    READ = "read"
    NONE = "none"


def cue(line: str, start: int, end: int) -> Cue:
    """Say what the words around `line[start:end]` say of the path that stands there."""
    before = _clause_before(line[max(0, start - _FAR) : start])
    after = line[end : end + 40]
    if _READING_AFTER.match(after):
        return Cue.READ
    if _NEW_AFTER.match(after):
        return Cue.NEW
    if _READING.search(before):
        return Cue.READ
    if _NEW_BEFORE.search(before):
        return Cue.NEW
    if _ADDED_BEFORE.search(before):
        return Cue.MAKING
    made, changed = _last(_MAKING, before), _last(_CHANGING, before)
    return Cue.MAKING if made > changed else Cue.NONE


def continues(between: str) -> bool:
    """Tell whether the text between two paths makes them one list, of which the same is said."""
    return len(between) <= 24 and _LIST.fullmatch(between) is not None


def _clause_before(text: str) -> str:
    """Return the clause that a text ends with."""
    ends = [found.end() for found in _CLAUSE.finditer(text)]
    return text[ends[-1] :] if ends else text


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Return where a pattern is found last, -1 for nowhere."""
    return max((found.start() for found in pattern.finditer(text)), default=-1)
