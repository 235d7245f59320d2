"""Files on disk: every kind that holds bars loads equal, everything else is one line."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stresslab.core.errors import DataError
from stresslab.data import Bars
from stresslab.data.bars import HIGH
from stresslab.data.sources.files import load_file
from tests.data.tables import HEADERS, same, table, text
from tests.make.bars import make_bars

BARS = make_bars(60)
CSV = text(table(BARS))
DATED = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y.%m.%d %H:%M", "%d.%m.%Y %H:%M:%S", "%Y%m%d %H%M%S")
FORMS = (*DATED, "s", "ms", "us", "ns")


def _write(folder: Path, data: bytes | str, name: str = "bars.csv") -> str:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


def _refused(path: str) -> str:
    """The line that says why a file cannot be used."""
    with pytest.raises(DataError) as caught:
        load_file(path)
    line = str(caught.value)
    assert line.isprintable()
    assert line.startswith(path)
    return line.removeprefix(path).lstrip(": ")


@st.composite
def _any_bars(draw: st.DrawFn) -> Bars:
    """Valid bars of any prices at any regular times."""
    count = draw(st.integers(30, 50))
    start = draw(st.integers(5_000, 20_000))  # days after 1970
    step = draw(st.sampled_from(["5min", "1h", "1D"]))
    body = draw(st.lists(st.floats(1e-3, 1e6), min_size=2 * count, max_size=2 * count))
    shadows = draw(st.lists(st.floats(0.0, 0.5), min_size=2, max_size=2))
    traded = draw(st.lists(st.floats(0.0, 1e9), min_size=2, max_size=2))
    opens, closes = np.array(body).reshape(2, count)
    return Bars.from_frame(
        pd.DataFrame(
            {
                "open": opens,
                "high": np.maximum(opens, closes) * (1 + shadows[0]),
                "low": np.minimum(opens, closes) * (1 - shadows[1]),
                "close": closes,
                "volume": np.linspace(traded[0], traded[1], count),
                "amount": np.linspace(traded[1], traded[0], count),
            },
            index=pd.date_range(pd.Timestamp(start, unit="D"), periods=count, freq=step),
        )
    )


@given(bars=_any_bars(), data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bars_survive_any_layout(tmp_path: Path, bars: Bars, data: st.DataObject) -> None:
    """Written with any delimiter, decimal sign, order of columns, language and form of time stamps, bars load equal."""
    header = HEADERS[data.draw(st.sampled_from(sorted(HEADERS)))]
    frame = table(bars, header, data.draw(st.sampled_from(FORMS)))
    layout = text(
        frame[data.draw(st.permutations(list(frame.columns)))],
        data.draw(st.sampled_from([",", ";", "\t", "|"])),
        data.draw(st.sampled_from([".", ","])),
        list(frame.columns[1:]),
    )
    assert same(load_file(_write(tmp_path, layout.encode(data.draw(st.sampled_from(["utf-8", "utf-16"]))))), bars)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_arrow_files(tmp_path: Path, kind: str, index: bool, zone: str | None) -> None:
    """Parquet and feather load equal under any file name, with time stamps in a column or an index, zoned or not."""
    frame = BARS.frame.rename_axis("timestamp")
    frame = frame.tz_localize(zone) if zone else frame
    frame = frame if index else frame.reset_index()
    path = tmp_path / "bars.data"
    frame.to_parquet(path) if kind == "parquet" else frame.to_feather(path)
    bars = load_file(str(path))
    assert same(bars, BARS)
    assert any("time zone UTC dropped" in notice for notice in bars.notices) is (zone is not None)


def test_name_source_and_rows(tmp_path: Path) -> None:
    """Bars are called by the file's name, know their path, and errors count the rows below the header from 1."""
    path = _write(tmp_path, CSV, "KO.csv")
    assert (load_file(path).symbol, load_file(path).source) == ("KO", path)
    lines = CSV.splitlines()
    lines[12] = lines[12].replace(repr(float(BARS.close.iloc[11])), "-37.63")
    assert _refused(_write(tmp_path, "\n".join(lines))).startswith("row 12 (2015-01-16 00:00:00): close=-37.63")


def test_date_and_time_in_two_columns(tmp_path: Path) -> None:
    """A column of dates and one of times, under any of their names, are one time stamp."""
    bars = make_bars(60, freq="15min")
    for clock in ("time", "<TIME>", "Uhrzeit", "时间"):
        frame = table(bars, form="%Y-%m-%d")
        frame.insert(3, clock, bars.timestamps.strftime("%H:%M").to_numpy(dtype=object))
        assert same(load_file(_write(tmp_path, text(frame))), bars)


def test_one_symbol_of_several(tmp_path: Path) -> None:
    """`path#SYMBOL` picks one series of a file, rows keep their numbers, and without it the file is refused."""
    other = make_bars(60, seed=1)
    both = pd.concat([table(BARS).assign(symbol="KO"), table(other).assign(symbol="PEP")])
    path = _write(tmp_path, text(both))
    assert same(load_file(f"{path}#PEP"), other)
    assert load_file(f"{path}#PEP").symbol == "PEP"
    assert "2 symbols in one file (KO, PEP)" in _refused(path)
    with pytest.raises(DataError, match="symbol 'PEQ' is not in the file; did you mean 'PEP'"):
        load_file(f"{path}#PEQ")
    with pytest.raises(DataError, match="no column names symbols; leave #KO out"):
        load_file(_write(tmp_path, CSV, "one.csv") + "#KO")
    both.iloc[70, both.columns.get_loc("volume")] = "-1"
    with pytest.raises(DataError, match="row 71 "):
        load_file(_write(tmp_path, text(both)) + "#PEP")


def test_rows_without_a_symbol_are_counted(tmp_path: Path) -> None:
    """In a table of several series they belong to none: left out, and said."""
    both = pd.concat([table(BARS).assign(symbol="KO"), table(BARS).assign(symbol="PEP")], ignore_index=True)
    both.loc[[0, 1, 2], "symbol"] = None
    path = tmp_path / "both.csv"
    both.to_csv(path, index=False)
    loaded = load_file(f"{path}#KO")
    assert len(loaded) == len(BARS) - 3
    assert "3 rows without a symbol belong to no series and were left out" in loaded.notices


def test_a_path_with_a_hash(tmp_path: Path) -> None:
    """A file whose own name holds a # is found."""
    assert len(load_file(_write(tmp_path, CSV, "KO#1.csv"))) == 60


def test_similar_file(tmp_path: Path) -> None:
    """A missing file is answered with the similar one beside it."""
    path = _write(tmp_path, CSV, "KO_daily.csv")
    assert f"no such file; did you mean {path!r}?" == _refused(path.replace("daily", "dayly"))
    assert _refused(str(tmp_path / "nowhere" / "x.csv")) == "no such file; check the path"


def _png() -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty; give"),
        (_png(), "is neither text nor parquet nor feather"),
        (np.random.default_rng(0).bytes(3000), "is neither text nor parquet nor feather"),
        (CSV.encode("utf-16-le"), "is neither text nor parquet nor feather"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "is an old Excel workbook; save it as .xlsx or CSV"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "is an HDF5 file; write"),
        (b"SQLite format 3\0" + bytes(50), r"cannot be read as SQLite \(.*\); close programs that use it, or export"),
        (b"%PDF-1.7\n", "is a PDF document; give"),
        (b"<!DOCTYPE html><html>404</html>", "is a web page or XML, not a table; download"),
        (b'{"open": [1, 2]}', "is JSON without a table of bars"),
        (b"PAR1" + bytes(100), r"is damaged or not complete \(.*\); write or download it again"),
        (b"ARROW1\0\0" + bytes(100), r"is damaged or not complete \(.*\); write or download it again"),
        (CSV.split("\n", 1)[0].encode(), "a header but no rows"),
        (CSV.replace("close", "last").encode(), "no column 'close' among 'date', 'open'"),
        ("\n".join(CSV.splitlines()[:20]).encode(), "19 bars are too few; give at least 30"),
    ],
)
def test_what_holds_no_bars(tmp_path: Path, data: bytes, words: str) -> None:
    """What is no table of bars is refused in one line that says what it is and what to give instead."""
    assert pd.Series(_refused(_write(tmp_path, data))).str.contains(words).all()


def test_truncated_parquet(tmp_path: Path) -> None:
    """A parquet file cut off in the middle is damaged, not a crash."""
    stream = io.BytesIO()
    BARS.frame.to_parquet(stream)
    assert "is damaged or not complete" in _refused(_write(tmp_path, stream.getvalue()[:-200]))


def test_what_is_no_file(tmp_path: Path) -> None:
    """No path, a directory, a path too long or with signs that do not print: each is one line."""
    assert _refused(str(tmp_path)).startswith("is a directory; give one CSV, parquet or feather file in it")
    with pytest.raises(DataError, match="no path is given"):
        load_file("")
    for path in ("x" * 5000, "a\0b", "a\nb"):
        with pytest.raises(DataError, match="no such file; check the path") as caught:
            load_file(path)
        assert str(caught.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    """A named pipe is refused at once instead of being waited for."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert _refused(str(path)).startswith("is not a regular file; write the data to a file first")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    """A file without permission to read is refused with the reason."""
    path = Path(_write(tmp_path, CSV))
    path.chmod(0)
    assert "cannot be read (Permission denied); check its permissions" in _refused(str(path))


def _sources() -> list[bytes]:
    hourly = make_bars(40, freq="h")
    parquet = io.BytesIO()
    BARS.frame.to_parquet(parquet)
    german = table(hourly, HEADERS["German"], "%d.%m.%Y %H:%M")
    return [
        CSV.encode(),
        text(german, ";", ",", list(german.columns[1:])).encode("latin-1"),
        table(hourly, form="ms").drop(columns="amount").to_csv(index=False, header=False).encode("utf-16"),
        ("Price,Open,High,Low,Close\nTicker,X,X,X,X\nDate,,,,\n" + CSV.split("\n", 1)[1]).encode(),
        parquet.getvalue(),
    ]


JUNK = [
    b"",
    b",",
    b"\n",
    b'"',
    b"\0",
    b"nan",
    b"-",
    b"1e400",
    b"\xff",
    b'"\n"',
    b"2024-13-01",
    b"9" * 25,
    b";",
    b"date",
]


@given(data=st.data(), repair=st.booleans())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_never_crash(tmp_path: Path, data: st.DataObject, repair: bool) -> None:
    """Whatever is cut out of or put into a file, it loads as sound bars or is refused in one printable line."""
    content = data.draw(st.sampled_from(_sources()))
    for _ in range(data.draw(st.integers(1, 4))):
        end = data.draw(st.sampled_from([60, len(content)]))  # half of the damage is done to the header
        place = data.draw(st.integers(0, end))
        put = data.draw(st.one_of(st.sampled_from(JUNK), st.binary(max_size=4)))
        content = content[:place] + put + content[place + data.draw(st.integers(0, 9)) :]
    try:
        bars = load_file(_write(tmp_path, content), repair=repair)
    except DataError as error:
        line = str(error)
    else:
        line = repr(bars)
        assert (bars.values[:, :4] > 0).all()
        assert np.isfinite(bars.values).all()
        assert (np.diff(bars.timestamps.asi8) > 0).all()
        assert (bars.values[:, HIGH] == bars.values[:, :4].max(axis=1)).all()
    assert line.isprintable()
    assert len(line) < 1000
