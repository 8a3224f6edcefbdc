"""Places with a {SPAN} and a {VERSION} in them: which of those that are there are the data. Pure but for one look at folders."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from configs.errors import UsageError
from configs.paths import expanded

SPAN, VERSION = "{SPAN}", "{VERSION}"
_WORDS = {SPAN: "(?P<span>[0-9]+)", VERSION: "(?P<version>[0-9]+)", "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}


def has_spans(text: str) -> bool:
    """Whether a place stands for many, by number."""
    return SPAN in text or VERSION in text


def check_spans(text: str) -> None:
    """Raises:
    UsageError: the numbers are not written as one may write them.
    """
    if text.count(SPAN) != 1 or text.count(VERSION) > 1:
        raise UsageError(f"data {text!r}: expected one {SPAN} and at most one {VERSION}, as in data/span-{SPAN}/v{VERSION}/")


def pattern_of(text: str, *, question_mark: bool = False) -> re.Pattern[str]:
    """A place's regular expression: ``*`` stays inside one folder, ``**`` does not, numbers are groups.

    Args:
        question_mark: ``?`` stands for any letter; in a URI it begins the query.
    """
    parts = re.split(r"(\{SPAN\}|\{VERSION\}|\*\*/|\*\*|\*|\[[^\]]+\]" + (r"|\?" if question_mark else "") + ")", text)
    words = {**_WORDS, **({"?": "[^/]"} if question_mark else {})}
    return re.compile("".join(words.get(part) or (part.replace("[!", "[^") if part.startswith("[") else re.escape(part)) for part in parts))


def newest(matches: Mapping[str, re.Match[str]], spans: int | None) -> list[str]:
    """The places of the newest spans, each in its newest version; older spans first.

    Args:
        matches: place to how it fits :func:`pattern_of`.
        spans: how many; None means all.

    Raises:
        UsageError: one number is there in two writings.
    """
    places: dict[int, dict[int, list[str]]] = {}
    for place, match in sorted(matches.items()):
        span, version = int(match["span"]), int(match.groupdict().get("version") or 0)
        places.setdefault(span, {}).setdefault(version, []).append(place)
    _check_writings((match["span"], place) for place, match in sorted(matches.items()))
    found: list[str] = []
    for span in sorted(places)[-(spans or len(places)) :]:
        version = max(places[span])
        _check_writings((matches[place].groupdict().get("version") or "", place) for place in places[span][version])
        found += places[span][version]
    return found


def _check_writings(numbers: Iterable[tuple[str, str]]) -> None:
    seen: dict[int, tuple[str, str]] = {}
    for number, place in numbers:
        first, where = seen.setdefault(int(number or 0), (number, place))
        if first != number:
            raise UsageError(f"data: the same number stands there twice, in {where!r} and {place!r}; remove one")


@dataclass(frozen=True)
class LocalSpans:
    """``base``: the folder before the first number. ``places``: what stands below it for each span, as paths or globs."""

    base: Path
    places: tuple[str, ...]


def local_spans(text: str, spans: int | None) -> LocalSpans:
    """Look which spans are there.

    Raises:
        UsageError: none is, or the text is no such place.
    """
    check_spans(text)
    parts = expanded(text).parts
    last = max(index for index, part in enumerate(parts) if has_spans(part))
    first = next(
        index for index, part in enumerate(parts) if has_spans(part) or (glob.has_magic(part) and not Path(*parts[: index + 1]).exists())
    )
    base, pattern, rest = Path(*parts[:first]).resolve(), "/".join(parts[first : last + 1]), "/".join(parts[last + 1 :])
    fits = pattern_of(pattern, question_mark=True)
    there = [path.relative_to(base).as_posix() for path in base.glob(pattern.replace(SPAN, "[0-9]*").replace(VERSION, "[0-9]*"))]
    matches = {place: match for place in there if (match := fits.fullmatch(place)) and _holds(base / place, rest)}
    if not matches:
        raise UsageError(f"data {text!r}: no span is there: nothing fits {'/'.join(parts[first:])!r} below {base}")
    escaped = glob.escape if glob.has_magic(rest) else str
    places = [f"{escaped(str(base / place))}/{rest}".rstrip("/") for place in newest(matches, spans)]
    return LocalSpans(base, tuple(places))


def is_aside(name: str, pattern: str = "*") -> bool:
    """Is this what a writer keeps for itself, such as ``_temporary``, ``_SUCCESS`` or ``.part.csv``? Spark reads such names so, too.

    Args:
        pattern: what it was found by, which may ask for it.
    """
    return name.startswith((".", "_")) and not pattern.rpartition("/")[2].startswith(name[0])


def _holds(path: Path, rest: str) -> bool:
    """Whether there is anything in it yet: a span that is being made is none."""
    if not rest or (path / rest).exists():
        return _is_something(path / rest)
    return glob.has_magic(rest) and any(not is_aside(place.name, rest) and _is_something(place) for place in path.glob(rest))


def _is_something(place: Path) -> bool:
    return any(not is_aside(entry.name) for entry in place.iterdir()) if place.is_dir() else place.exists()
