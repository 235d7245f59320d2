"""Colours that stay apart."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from matplotlib.colors import to_rgb

from stresslab.report.charts import style


def lightness(colour: str) -> float:
    """CIE lightness L* of a colour, from 0 to 100."""
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in to_rgb(colour)]
    luminance = sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 116 * luminance ** (1 / 3) - 16


@pytest.mark.parametrize("scale", [style.WARM, style.COOL])
def test_scales_darken_evenly(scale: tuple[str, ...]) -> None:
    """Each step is darker than the one before, and no step is more than twice another: a map shows no false edge."""
    steps = [lightness(one) - lightness(other) for one, other in pairwise(scale)]
    assert min(steps) > 0
    assert max(steps) < 2 * min(steps)


def test_loss_and_gain_differ_in_more_than_hue() -> None:
    """Text is readable on paper (contrast 4.5, WCAG 2.1), and every colour is one."""
    for colour in (style.INK, style.SOFT):
        light, dark = ((lightness(one) + 16) / 116 for one in (style.PAPER, colour))
        assert (light**3 + 0.05) / (dark**3 + 0.05) >= 4.5
    looks = [*style.FILLS.values(), *style.STROKES.values(), *style.POINTS.values(), *style.MARKS.values()]
    colours = [value for look in looks for name, value in look.items() if "color" in name]
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)
