"""The colours, lines and signs of pictures, by style; the page has the same in its style sheet."""

from __future__ import annotations

from typing import Any

INK, SOFT, LINE, MEDIAN, PAPER = "#18202b", "#576273", "#dde2e9", "#22578f", "#ffffff"
WARM = ("#fbeedd", "#f6d8b2", "#efbd83", "#e29d55", "#c97a30", "#a65a1c", "#7c3f12")
COOL = ("#e4eef8", "#c6dcf1", "#a0c4e5", "#74a6d4", "#4a85bb", "#2e669c", "#1b4775")
"""From light to dark, evenly in lightness; orange and blue stay apart for colour-blind readers."""
FILLS: dict[str, dict[str, Any]] = {
    "b98": {"facecolor": "#e3ecf6"},
    "b90": {"facecolor": "#c3d8ee"},
    "b50": {"facecolor": "#8fb7df"},
    "loss": {"facecolor": "#d07a24"},
    "gain": {"facecolor": "#5f94c9"},
    "depth0": {"facecolor": "#a9c1db"},
    "depth1": {"facecolor": "#dca25d"},
    "depth2": {"facecolor": "#b5522b"},
    "chance": {"facecolor": INK, "alpha": 0.12},
    "long": {"facecolor": "#22578f", "alpha": 0.13},
    "short": {"facecolor": "#d07a24", "alpha": 0.16},
    "up": {"facecolor": PAPER, "edgecolor": "#22578f", "linewidth": 0.8},
    "down": {"facecolor": "#b5522b", "edgecolor": "#b5522b", "linewidth": 0.8},
    "same": {"facecolor": "#eef1f5"},
    "wild": {"facecolor": INK, "alpha": 0.07},
    "part-monte-carlo": {"facecolor": COOL[5]},
    "part-generators": {"facecolor": COOL[3]},
    "part-origins": {"facecolor": COOL[1]},
    **{f"warm{at}": {"facecolor": colour} for at, colour in enumerate(WARM, 1)},
    **{f"cool{at}": {"facecolor": colour} for at, colour in enumerate(COOL, 1)},
}
STROKES: dict[str, dict[str, Any]] = {
    "median": {"edgecolor": MEDIAN, "linewidth": 1.4, "linestyle": (0, (4, 2))},
    "real": {"edgecolor": INK, "linewidth": 1.6},
    "path": {"edgecolor": INK, "linewidth": 0.6, "alpha": 0.18},
    "baseline": {"edgecolor": SOFT, "linewidth": 0.9, "linestyle": (0, (1, 3))},
    "whisker": {"edgecolor": INK, "linewidth": 1.4},
    "bar-median": {"edgecolor": MEDIAN, "linewidth": 1.8},
    "wick": {"edgecolor": SOFT, "linewidth": 0.8},
    "batch": {"edgecolor": "#8fb7df", "linewidth": 0.8},
    "level0": {"edgecolor": "#d07a24", "linewidth": 1.4, "linestyle": (0, (4, 2))},
    "level1": {"edgecolor": INK, "linewidth": 1.2, "linestyle": (0, (4, 2))},
}
POINTS: dict[str, dict[str, Any]] = {
    "in": {"marker": "^", "color": MEDIAN},
    "out": {"marker": "v", "color": INK},
    "dot": {"marker": "o", "color": INK, "markeredgecolor": PAPER},
    "ring": {"marker": "o", "color": PAPER, "markeredgecolor": INK, "markeredgewidth": 1.4},
    "rise": {"marker": "^", "color": SOFT, "markersize": 4.5},
    "fall": {"marker": "v", "color": "#d07a24", "markersize": 4.5},
    "best": {"marker": "D", "color": INK, "markeredgecolor": PAPER, "markersize": 7.0},
}
MARKS: dict[str, dict[str, Any]] = {
    "middle": {"color": MEDIAN, "linewidth": 1.2, "linestyle": (0, (3, 2))},
    "outcome": {"color": INK, "linewidth": 2.0},
}
QUIET: dict[str, Any] = {"color": SOFT, "linewidth": 1.0, "linestyle": (0, (3, 2))}
