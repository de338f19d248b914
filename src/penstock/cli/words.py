"""Small things said in words: durations, ages, amounts."""

from __future__ import annotations

from penstock.model.times import seconds


def duration(value: float | None) -> str:
    """Return seconds as `0.4s`, `12s`, `3m05s`, `2h07m`; `-` for None."""
    if value is None:
        return "-"
    if value < 10:
        return f"{max(value, 0.0):.1f}s"
    whole = round(value)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def about(value: float) -> str:
    """Return an estimate in seconds as `about 40 s`, `about 6 min`, `about 2 h 10 min`."""
    if value < 60:
        return f"about {max(10, 10 * round(value / 10))} s"
    minutes = round(value / 60)
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {minutes % 60:02d} min"


def between(start: str | None, end: str | None, now: float) -> float | None:
    """Return the seconds from `start` to `end` (or `now`), None when not started."""
    if start is None:
        return None
    return (seconds(end) if end is not None else now) - seconds(start)


def moment(text: str | None) -> str:
    """Return an ISO time without its fraction: `2026-01-31 10:20:30Z`; `-` for None."""
    if text is None:
        return "-"
    return f"{text[:10]} {text[11:19]}Z"


def clock(text: str) -> str:
    """Return the time of day of an ISO time: `10:20:30`."""
    return text[11:19]


def money(value: float | None) -> str:
    """Return USD as `$0.0123`, `-` for unknown (which is not the same as nothing)."""
    return "-" if value is None else f"${value:.4f}"


def count(value: int | None) -> str:
    """Return an amount as `950`, `12.3k`, `4.1M`; `-` for unknown."""
    if value is None:
        return "-"
    if value < 1000:
        return str(value)
    if value < 1_000_000:
        return f"{value / 1000:.1f}k"
    return f"{value / 1_000_000:.1f}M"


def plural(number: int, noun: str) -> str:
    """Return `1 run`, `2 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def one_line(text: str) -> str:
    """Return text without line breaks and control characters, fit for a cell."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(clean.split())


def shortened(text: str, width: int) -> str:
    """Return text in one line of at most `width` characters, its middle left out where it must."""
    line = one_line(text)
    if len(line) <= width:
        return line
    end = (width - 3) // 2
    return f"{line[: width - 3 - end]}...{line[len(line) - end :]}"


def bytes_in_words(number: int) -> str:
    """Return a size as `512 B`, `1.5 kB`, `20.0 MB`."""
    size = float(number)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{number} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
