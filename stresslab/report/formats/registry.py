"""A report in every format: page, PDF, summary, pictures and tables; each is a function of the result alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from stresslab.analysis.result import StressResult
from stresslab.analysis.result_schema import SCHEMA
from stresslab.core.errors import InputError
from stresslab.core.whole_files import staged
from stresslab.report.charts import images
from stresslab.report.charts.chart import Chart
from stresslab.report.charts.fonts import legible
from stresslab.report.formats import html, markdown, tables
from stresslab.report.sections.registry import Part, parts

SIZES: Mapping[str, tuple[float, float]] = MappingProxyType({"": (7.2, 2.9), "half": (3.5, 2.55), "tall": (7.2, 3.9)})
"""Inches of a chart on paper, by its size on the page."""

Prepared = Sequence[Part]


def _html(result: StressResult, prepared: Prepared, folder: Path) -> Path:
    return _written(folder / "report.html", html.render(result, prepared).encode())


def _pdf(result: StressResult, prepared: Prepared, folder: Path) -> Path:
    return _written(folder / "report.pdf", pdf(html.render(result, prepared, draw=on_paper)))


def _md(result: StressResult, prepared: Prepared, folder: Path) -> Path:
    return _written(folder / "summary.md", markdown.summary(result).encode())


def _pictures(kind: str) -> Callable[[StressResult, Prepared, Path], Path]:
    def write(result: StressResult, prepared: Prepared, folder: Path) -> Path:
        drawn = [chart for part in prepared for chart in part.charts]
        images.write_figures(drawn, [one.name for one in result.strategies], folder / "figures", [kind])
        return folder / "figures"

    return write


def _tables(write_table: Callable[[pd.DataFrame, Path], None], suffix: str) -> Callable[..., Path]:
    def write(result: StressResult, prepared: Prepared, folder: Path) -> Path:
        (folder / "tables").mkdir(parents=True, exist_ok=True)
        for name, table in tables.tables(result).items():
            write_table(table, folder / "tables" / f"{name}.{suffix}")
        return folder / "tables"

    return write


def _json(result: StressResult, prepared: Prepared, folder: Path) -> Path:
    _written(folder / "result.schema.json", _text(SCHEMA))
    return _written(folder / "result.json", _text(result.to_dict()))


FORMATS: Mapping[str, Callable[[StressResult, Prepared, Path], Path]] = MappingProxyType(
    {
        "html": _html,
        "pdf": _pdf,
        "md": _md,
        "png": _pictures("png"),
        "svg": _pictures("svg"),
        "csv": _tables(lambda table, path: tables.without_formulas(table).to_csv(path, index=False), "csv"),
        "parquet": _tables(lambda table, path: table.to_parquet(path, index=False), "parquet"),
        "json": _json,
    }
)
"""What writes each format; each returns the file, or the folder of several, that it wrote."""


def render_all(result: StressResult, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write a result in some formats: all of them, or nothing.

    Args:
        result: what was found.
        folder: is made where it is missing.
        formats: of `FORMATS`.

    Raises:
        InputError: PDF is asked for and weasyprint is not there.
    """
    if "pdf" in formats:
        check_pdf()
    prepared = parts(result)
    with staged(folder) as partial:
        written = [FORMATS[name](result, prepared, partial) for name in dict.fromkeys(formats)]
    return [folder / path.name for path in written]


def check_pdf() -> None:
    """Refuse, before any work is done, where no PDF can be made.

    Raises:
        InputError: weasyprint, or a library that it needs, is missing.
    """
    try:
        import weasyprint  # noqa: F401 - whether it can be imported is the question
    except (ImportError, OSError) as error:
        why = "is not installed" if isinstance(error, ImportError) else f"does not load ({str(error).splitlines()[0]})"
        raise InputError(
            f'`format=pdf`: weasyprint, which makes PDFs, {why}; pip install "stresslab[pdf]", or print report.html '
            "from a browser"
        ) from None


def pdf(page: str) -> bytes:
    """A page as PDF; nothing but the page is read. Signs that no installed font has are named."""
    content: bytes = document(page).write_pdf()
    return content


def document(page: str) -> Any:
    """A page as weasyprint sets it on paper, sheet by sheet."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    return HTML(string=legible(page, coloured=True), url_fetcher=URLFetcher(allowed_protocols=["data"])).render()


def on_paper(chart: Chart, size: str) -> str:
    """The address of a chart's picture, which holds the picture itself; its text is text that a reader can search."""
    drawn = images.picture(chart, "svg", size=SIZES[size], lettered=True)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn).decode()}"


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _text(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
