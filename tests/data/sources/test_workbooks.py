"""Workbooks of Excel: the sheet with the bars, its dates in every form, and what is refused."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stresslab.core.errors import DataError
from stresslab.data.bars import Bars
from stresslab.data.sources import bounds, workbooks
from stresslab.data.sources.files import load_file
from tests.make.bars import make_bars

openpyxl = pytest.importorskip("openpyxl")
BARS = make_bars(60)
HOURLY = make_bars(60, freq="30min", start="2024-01-01 09:30")
HEADER = ["Date", "Open", "High", "Low", "Close", "Volume", "Amount"]


def rows(bars: Bars, stamps: list[Any] | None = None) -> list[list[Any]]:
    """A header and a row a bar."""
    stamps = bars.timestamps.to_pydatetime().tolist() if stamps is None else stamps
    return [HEADER, *([stamp, *values] for stamp, values in zip(stamps, bars.values.tolist(), strict=True))]


def saved(path: Path, **sheets: list[list[Any]]) -> str:
    """A workbook of sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    book.save(path)
    return str(path)


def same(one: Bars, other: Bars) -> bool:
    """Whether two series are equal to the sixteen digits that openpyxl writes."""
    return one.timestamps.equals(other.timestamps) and np.allclose(one.values, other.values, rtol=1e-15, atol=0)


def refused(path: str) -> str:
    """The one line that says why a file cannot be used."""
    with pytest.raises(DataError) as caught:
        load_file(path)
    line = str(caught.value)
    assert line.isprintable()
    assert line.startswith(path)
    return line.removeprefix(path).lstrip(": ")


def test_dates_texts_and_serial_numbers(tmp_path: Path) -> None:
    """Cells of dates, texts of them and Excel's serial numbers are the same time stamps."""
    days = [(stamp - dt.datetime(1899, 12, 30)).days for stamp in BARS.timestamps.to_pydatetime()]
    forms = [None, BARS.timestamps.strftime("%d.%m.%Y").tolist(), days, [stamp.date() for stamp in BARS.timestamps]]
    for number, stamps in enumerate(forms):
        bars = load_file(saved(tmp_path / f"{number}.xlsx", Bars=rows(BARS, stamps)))
        assert same(bars, BARS)
        assert bars.symbol == str(number)


def test_fractions_of_days(tmp_path: Path) -> None:
    """Times of day, kept as fractions of a day, come back to the second."""
    serial = [(stamp - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1) for stamp in HOURLY.timestamps.to_pydatetime()]
    for number, stamps in enumerate((None, serial)):
        assert same(load_file(saved(tmp_path / f"{number}.xlsx", Bars=rows(HOURLY, stamps))), HOURLY)


def test_date_and_time_in_two_columns(tmp_path: Path) -> None:
    """A column of dates and one of times of day are one time stamp."""
    lines = rows(HOURLY, [dt.datetime.combine(stamp.date(), dt.time()) for stamp in HOURLY.timestamps])
    lines = [[line[0], time, *line[1:]] for line, time in zip(lines, ["Time", *HOURLY.timestamps.time], strict=True)]
    assert same(load_file(saved(tmp_path / "a.xlsx", Bars=lines)), HOURLY)


def test_the_date_system_of_1904(tmp_path: Path) -> None:
    """A workbook that counts days from 1904 is read as it is meant, also where the cells are bare numbers."""
    book = openpyxl.Workbook()
    book.epoch = dt.datetime(1904, 1, 1)
    for line in rows(BARS, [(stamp - dt.datetime(1904, 1, 1)).days for stamp in BARS.timestamps.to_pydatetime()]):
        book.active.append(line)
    book.save(tmp_path / "a.xlsx")
    assert same(load_file(str(tmp_path / "a.xlsx")), BARS)


def test_a_title_above_and_an_empty_column(tmp_path: Path) -> None:
    """Titles above the header, empty rows, columns without a name and notes beside the table do not matter."""
    lines = [["Prices of KO"], [], *([None, *line, None, "a note"] for line in rows(BARS)), [], []]
    assert same(load_file(saved(tmp_path / "a.xlsx", Bars=lines)), BARS)


def test_sheets(tmp_path: Path) -> None:
    """The only sheet of bars is found; of several one is named, and names the series; a symbol may follow."""
    other = make_bars(60, seed=1)
    path = saved(tmp_path / "a.xlsx", About=[["by hand"]], KO=rows(BARS))
    assert same(load_file(path), BARS)
    assert "bars of the sheet 'KO'" in load_file(path).notices
    path = saved(tmp_path / "a.xlsx", KO=rows(BARS), PEP=rows(other))
    assert refused(path).startswith("holds bars in 2 sheets (KO, PEP); choose one: append #NAME, such as #KO")
    assert same(load_file(f"{path}#PEP"), other)
    assert load_file(f"{path}#PEP").symbol == "PEP"
    long = [[*line, "Symbol" if not at else "A"] for at, line in enumerate(rows(BARS))]
    path = saved(tmp_path / "a.xlsx", Long=[*long, *([*line, "B"] for line in rows(other)[1:])], Other=rows(BARS))
    assert same(load_file(f"{path}#Long#B"), other)
    assert "symbol 'C' is not in the file" in refused(f"{path}#Long#C")


def test_in_an_archive(tmp_path: Path) -> None:
    """A workbook in an archive is read."""
    saved(tmp_path / "a.xlsx", Bars=rows(BARS))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.xlsx", "a.xlsx")
    assert same(load_file(str(tmp_path / "a.zip")), BARS)


def test_prices_as_texts(tmp_path: Path) -> None:
    """Numbers that were typed as texts, with decimal commas, are numbers."""
    lines = rows(BARS)
    for line in lines[1:]:
        line[1:] = [f"{value!r}".replace(".", ",") for value in line[1:]]
    assert same(load_file(saved(tmp_path / "a.xlsx", Bars=lines)), BARS)


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook without bars, without values, damaged, or without the library is one line with the remedy."""
    assert "no sheet (A, B) has a row among its first 20 that names" in refused(
        saved(tmp_path / "a.xlsx", A=[["x"]], B=[[1, 2]])
    )
    formulas = [HEADER, *([stamp, *["=1+1"] * 6] for stamp in BARS.timestamps.to_pydatetime())]
    assert "formulas that were never calculated; open the workbook" in refused(saved(tmp_path / "a.xlsx", A=formulas))
    assert "a header but no rows" in refused(saved(tmp_path / "a.xlsx", A=[HEADER]))
    data = bytearray(Path(saved(tmp_path / "a.xlsx", A=rows(BARS))).read_bytes())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.getinfo("xl/worksheets/sheet1.xml").header_offset
    data[start + 100 : start + 200] = bytes(100)
    (tmp_path / "a.xlsx").write_bytes(data)
    assert refused(str(tmp_path / "a.xlsx")).startswith("is a damaged workbook (")
    monkeypatch.setattr(workbooks, "import_module", _missing)
    assert 'needs openpyxl: pip install "stresslab[excel]"' in refused(saved(tmp_path / "a.xlsx", A=rows(BARS)))


def _missing(name: str) -> None:
    raise ImportError(name)


def test_claims_of_a_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet that claims to be larger than Excel's, or that unpacks to more than it may, is refused."""
    path = saved(tmp_path / "a.xlsx", A=rows(BARS))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b'<row r="61"', b'<row r="999999999999"')
    sheet = sheet.replace(b'r="A61"', b'r="A999999999999"').replace(b'ref="A1:G61"', b'ref="A1:G999999999999"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (parts | {"xl/worksheets/sheet1.xml": sheet}).items():
            archive.writestr(name, data)
    monkeypatch.setattr(workbooks, "MAX_SHEET", 10_000)
    assert "claims more than 10,000 rows, the most that Excel has" in refused(path)
    monkeypatch.setattr(bounds, "TRUSTED", 1000)
    monkeypatch.setattr(bounds, "MAX_RATIO", 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert refused(path).startswith("unpacks to more than")
