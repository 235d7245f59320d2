"""The page of what follows a verdict (sizes, limits, tracking): headlines, pictures and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stresslab.report.formats.html import Draw, environment
from stresslab.report.sections.table import Table


@dataclass(frozen=True)
class PageSection:
    """One section: its anchor and title, the answer, tables with pictures, and notes below."""

    key: str
    title: str
    tables: Sequence[Table]
    headlines: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class DecisionPage:
    """A page.

    Attributes:
        brand: what kind of page it is.
        title: above all.
        meta: what it rests on.
        sections: in their order.
        chips: (style, text) pairs under the title; the style "alert" stands out.
        stamp: run, date and hash.
    """

    brand: str
    title: str
    meta: str
    sections: Sequence[PageSection]
    chips: Sequence[tuple[str, str]] = ()
    stamp: str = ""


def render_decision(page: DecisionPage, *, draw: Draw | None = None) -> str:
    """The page as text; the same content gives the same text."""
    return environment().get_template("decision.html.j2").render(page=page, stamp=page.stamp, picture=draw)
