"""The library of crises: facts that can be read, measured in units of the volatility before them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stresslab.analysis.crises import chosen_crises, find_crisis, read_crises
from stresslab.core.errors import InputError
from stresslab.data.sources.load import load_bars

WANTED = (
    "1987-10", "1998-08", "2000-09", "2008-09", "2010-05", "2015-08", "2018-02", "2020-03", "2022-05", "2020-10",
    "2022-03",
)  # fmt: skip


def test_the_library_holds_the_known_crises() -> None:
    """Each with its date, market and source, and possible bars."""
    found = read_crises()
    assert set(WANTED) <= {f"{one.first:%Y-%m}" for one in found.values()}
    for name, crisis in found.items():
        bars = crisis.measured()
        assert crisis.source, name
        assert crisis.first <= crisis.last, name
        assert len(bars) or crisis.halt, name
        assert np.isfinite(bars.prices).all(), name
        assert (bars.prices[:, 1] >= bars.prices.max(axis=1) - 1e-12).all(), name
        assert (bars.prices[:, 2] <= bars.prices.min(axis=1) + 1e-12).all(), name
        assert (bars.volumes > 0).all(), name


def test_real_bars_are_in_units_of_the_sixty_before() -> None:
    """The flash crash's low, by hand from the bars of the sample."""
    bars = load_bars("sample:nasdaq").frame
    past = np.log(bars.close[:"2010-05-05"]).diff().iloc[-60:]
    sigma = np.sqrt((past**2).mean())
    low = np.log(bars.low["2010-05-06"] / bars.close["2010-05-05"]) / sigma
    measured = find_crisis("flash_crash_2010_05_06").measured()
    assert len(measured) == 2
    assert measured.prices[0, 2] == pytest.approx(low)
    before = bars.volume[:"2010-05-05"].iloc[-60:].mean()
    assert measured.volumes[0] == pytest.approx(bars.volume["2010-05-06"] / before)


def test_public_closes_are_read_as_changes_over_their_volatility() -> None:
    """19 October 1987: a fall of 20.47% at 1% a day before."""
    crisis = find_crisis("crash_1987_10").measured()
    assert crisis.prices[3].tolist() == pytest.approx([0.0, 0.0, np.log(1 - 0.2047) / 0.01, np.log(1 - 0.2047) / 0.01])
    locked = find_crisis("limit_lock_2022_03").measured().prices
    assert (locked == locked[:, :1]).all()


def test_an_unknown_scenario_is_refused_with_the_nearest() -> None:
    """One line; among names of a list too."""
    with pytest.raises(InputError, match=r"^scenario 'crash_2020' is not known; did you mean 'crash_2020_03'\?$"):
        find_crisis("crash_2020")
    with pytest.raises(InputError, match=r"scenario 'qqq' is not known; see `stresslab scenarios`"):
        chosen_crises("crash_2020_03, qqq")
    assert chosen_crises("all") == list(read_crises())


OWN = "{title: Mine, market: here, first: 2001-01-01, last: 2001-01-02, source: me"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("own: " + OWN + "}", "give one of bars, returns and shapes, or a halt alone"),
        ("own: " + OWN + ", returns: [-0.1]}", "returns need the volatility of a bar before them"),
        ("own: " + OWN + ", returns: [-1.5], volatility: 0.01}", "a return of -1 or less leaves no price above 0"),
        ("own: " + OWN + ", shapes: [[0, 1, -1, 2]]}", "a shape has a price above its high or below its low"),
        ("own: " + OWN + ", halt: 1, helt: 2}", "did you mean 'halt'"),
        ("own: " + OWN + ", halt: -1}", "halt: input should be greater than or equal to 0"),
        ("own: 5", "is not a table of facts"),
        ("[1, 2]", "holds no crises by name"),
        ("own: {", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    """The line names the file, the entry and the rule."""
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml") as caught:
        read_crises(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named_with_the_reason(tmp_path: Path) -> None:
    """As the system puts it in words, without its number and a second path."""
    with pytest.raises(InputError) as caught:
        read_crises(tmp_path / "nowhere.yaml")
    assert "(No such file or directory); give a YAML file of crises" in str(caught.value)


def test_users_add_their_own(tmp_path: Path) -> None:
    """A file's crises are found by its path, and all of them by the path alone."""
    path = tmp_path / "mine.yml"
    path.write_text("own: " + OWN + ", shapes: [[0, 0, -3, -2]]}\n", encoding="utf-8")
    (name,) = chosen_crises(str(path))
    assert find_crisis(name).measured().prices.tolist() == [[0.0, 0.0, -3.0, -2.0]]
