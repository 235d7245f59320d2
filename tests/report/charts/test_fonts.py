"""Signs of all scripts in pictures and PDFs: drawn by an installed font, or named; never an empty box."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

import pytest
from matplotlib.ft2font import FT2Font

from stresslab.report.charts import fonts
from stresslab.report.charts.chart import Chart, Mark, Tick
from stresslab.report.charts.fonts import BASE, families, legible
from stresslab.report.charts.images import legible_chart, picture

EMOJI = "\U0001f680"


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with nothing but the font that comes with matplotlib."""
    base = {BASE: fonts._outlined()[BASE]}
    monkeypatch.setattr(fonts, "_outlined", lambda: base)
    monkeypatch.setattr(fonts, "_pictures", frozenset)
    for cached in (fonts._family_of, fonts._covers):
        cached.cache_clear()
    yield
    for cached in (fonts._family_of, fonts._covers):
        cached.cache_clear()


@pytest.mark.usefixtures("_bare")
def test_what_no_font_has_is_named() -> None:
    """Symbols by their name, letters by their number, flags by their letters; joiners and tones leave nothing."""
    assert legible(f"to the {EMOJI}!") == "to the [rocket]!"
    assert legible("\u7b56\u7565 1") == "[U+7B56][U+7565] 1"
    assert legible("\U0001f1e9\U0001f1ea") == "DE"
    assert legible("\U0001f469\u200d\U0001f4bb") == "[woman][personal computer]"
    assert legible("\U0001f44d\U0001f3fd") == "[thumbs up sign]"
    assert legible("\u2713 \u03b1 \u0436 \u00e9 \u2026") == "\u2713 \u03b1 \u0436 \u00e9 \u2026"
    assert families(f"{EMOJI} \u7b56") == [BASE]


def test_what_is_left_is_drawn_by_some_font() -> None:
    """Whatever is installed here: every sign of a legible text is in one of its families."""
    text = legible(f"a \u7b56\u7565 {EMOJI} \u0441\u0442\u0440\u0430 \ud55c\uae00 \u05e2 \u0939 \U00020000 \u2605")
    known = set().union(*(FT2Font(fonts._outlined()[name]).get_charmap() for name in families(text)))
    assert all(ord(sign) in known for sign in text if not sign.isspace())


def test_coloured_pictures_count_where_they_can_be_shown() -> None:
    """A PDF holds an emoji font's pictures; matplotlib draws outlines alone."""
    known = any(ord(EMOJI) in fonts._signs(path) for path in fonts._pictures())
    assert (legible(EMOJI, coloured=True) == EMOJI) == (known or legible(EMOJI) == EMOJI)
    assert legible("plain", coloured=True) == "plain"


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_no_picture_has_an_empty_box(kind: str) -> None:
    """Titles, sentences, ticks, marks and legends of any script are drawn without a missing glyph."""
    odd = f"\u7b56\u7565 {EMOJI} \U0001f1e9\U0001f1ea \u0939\u093f \U0010ffff"
    chart = Chart(
        "odd", odd, f"{odd} says something.", [Tick(50, odd)], [Tick(50, odd)], odd, odd, [], [Mark(30, odd, "outcome")]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(picture(replace(chart, legend=[("gain", odd)]), kind, title=odd)) > 1000


def test_a_chart_of_plain_text_stays_as_it_is() -> None:
    """Nothing is changed, and no font is looked for, where the base font has everything."""
    chart = Chart("plain", "Plain", "Nothing odd.", [Tick(50, "1%")], [], "x", "y", [])
    assert legible_chart(chart, "Plain") == (chart, "Plain", [BASE])
