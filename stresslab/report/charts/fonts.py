"""Texts that every reader can see: fonts for signs of all scripts, and words for signs that no installed font has.

A missing sign is drawn as an empty box by matplotlib and by a PDF's renderer; here it becomes its name instead, such as
[rocket]. Matplotlib draws outlines only, so that the coloured pictures of an emoji font are missing there, too.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

BASE = "DejaVu Sans"
"""Comes with matplotlib."""
SCRIPTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Hiragino Sans", "Microsoft YaHei",
    "Yu Gothic", "Malgun Gothic", "Noto Sans", "Noto Emoji", "Symbola", "Segoe UI Symbol", "Apple Symbols",
)  # fmt: skip
"""Fonts that are asked first for what the base does not have; any other that is installed is asked after them."""
JOINERS = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""Signs that only change how their neighbours are drawn."""
_FLAG = 0x1F1E6


def families(text: str) -> list[str]:
    """The fonts that draw a text, the base first."""
    found = [BASE]
    for sign in sorted(set(text)):
        if not sign.isascii() and not any(ord(sign) in _covers(name) for name in found):
            found += [name] if (name := _family_of(ord(sign))) else []
    return found


def legible(text: str, *, coloured: bool = False) -> str:
    """The text with a name in square brackets for each sign that no installed font draws.

    Args:
        text: on one line.
        coloured: whether fonts of coloured pictures count, which a PDF can hold.
    """
    if text.isascii():
        return text
    if not coloured or any(not _drawn(sign, coloured) for sign in set(text)):
        return "".join(sign if _drawn(sign, coloured) else _named(sign) for sign in text)
    return text


def _drawn(sign: str, coloured: bool) -> bool:
    if sign.isascii() or sign.isspace():
        return True
    code = ord(sign)
    if JOINERS.match(sign):
        return coloured  # without the picture that it belongs to it is left out
    return _family_of(code) is not None or (coloured and any(code in _signs(path) for path in _pictures()))


def _named(sign: str) -> str:
    """What stands for a sign: the name of a symbol, a flag's letter, the number of a letter."""
    if JOINERS.match(sign):
        return ""
    code = ord(sign)
    if _FLAG <= code < _FLAG + 26:
        return chr(ord("A") + code - _FLAG)
    name = unicodedata.name(sign, "").lower()
    return f"[{name}]" if name and unicodedata.category(sign).startswith("S") else f"[U+{code:04X}]"


@cache
def _family_of(code: int) -> str | None:
    """The first font that has an outline for a sign."""
    if code in _covers(BASE):
        return BASE
    installed = dict.fromkeys([*SCRIPTS, *sorted(_outlined())])
    return next((name for name in installed if code in _covers(name)), None)


@cache
def _covers(family: str) -> frozenset[int]:
    """The signs for which a font has outlines; none where it is not installed."""
    path = _outlined().get(family)
    return _signs(path) if path is not None else frozenset()


@cache
def _outlined() -> dict[str, str]:
    """Files of the fonts by family, the upright regular one of each; those of coloured pictures are left out."""
    _find_new()
    found: dict[str, tuple[int, str]] = {}
    for entry in font_manager.fontManager.ttflist:
        odd = (entry.style != "normal") + (entry.weight not in (400, "normal", "regular")) + (entry.stretch != "normal")
        if (
            entry.fname not in _pictures()
            and "last resort" not in entry.name.lower()
            and (odd, entry.fname) < found.get(entry.name, (9, ""))
        ):
            found[entry.name] = (odd, entry.fname)
    return {name: path for name, (_, path) in found.items()}


def _find_new() -> None:
    """Tell matplotlib of fonts that were installed after it made its list, which it keeps between sessions."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist} | _pictures()
    for path in sorted({*font_manager.findSystemFonts()} - known):
        try:
            font_manager.fontManager.addfont(path)
        except (OSError, RuntimeError):
            continue


@cache
def _pictures() -> frozenset[str]:
    """Files of fonts that hold coloured pictures in place of outlines."""
    files = {*font_manager.findSystemFonts(), *(entry.fname for entry in font_manager.fontManager.ttflist)}
    return frozenset(path for path in files if "emoji" in path.lower() and not _scalable(path))


def _scalable(path: str) -> bool:
    try:
        return bool(FT2Font(path).scalable)
    except (OSError, RuntimeError):
        return False


@cache
def _signs(path: str) -> frozenset[int]:
    """The signs that a font file knows; none where it cannot be read."""
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
