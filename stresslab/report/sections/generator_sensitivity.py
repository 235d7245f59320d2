"""The surface of the generator's knobs: P(loss), shortfall and realism over temperature, top-p and context."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from stresslab.analysis.result_models import Estimate
from stresslab.analysis.result_studies import AtSetting, GeneratorSweep, SettingRealism
from stresslab.report.charts import heatmap
from stresslab.report.charts.chart import Axis, Chart, Point, Tick, percent_tick, rounded
from stresslab.report.sections.table import HEADINGS, Table, figures, share
from stresslab.report.wording import interval, number, percent


def table(rows: Sequence[AtSetting], settings: GeneratorSweep, key: str) -> Table:
    """The run's own setting and those that differ from it in one knob; all of them in the maps above.

    Args:
        rows: figures of one strategy, a row for each setting.
        settings: what they do to realism, in the same order.
        key: of the strategy's charts.
    """
    real = settings.settings
    own = next(row for row in rows if row.own)
    near = [at for at, row in enumerate(rows) if sum(getattr(row, name) != getattr(own, name) for name in KNOBS) <= 1]
    near.sort(key=lambda at: (not rows[at].own, *(_apart(rows[at], own, name) for name in KNOBS)))
    cells = tuple(
        (
            _named(rows[at], own),
            *figures(rows[at]),
            number(real[at].volatility_ratio),
            share(real[at].coverage_90),
            number(real[at].crps_over_own),
        )
        for at in near
    )
    headings = (
        "Setting", *HEADINGS, "Volatility over the market's", "Inside the 90% intervals", "CRPS over that of the run's",
    )  # fmt: skip
    sentence = (
        f"What if the generator's settings were different? {own.universes:,} universes of each setting, drawn with "
        f"the same random numbers{_compared(settings)}. A setting under which universes move less than the market "
        "makes no strategy safer."
    )
    charts = (
        _map(rows, real, key, "loss"), _map(rows, real, key, "shortfall"), *_realism_map(rows, real, settings, key)
    )  # fmt: skip
    title = "Sensitivity to temperature, top-p and context"
    return Table("knobs", title, sentence, headings, cells, charts)


KNOBS = ("temperature", "top_p", "context")


def _compared(settings: GeneratorSweep) -> str:
    """With what of the market the settings are compared, as the end of a sentence."""
    if settings.origins < 2:
        return "; the history is too short to compare them with what followed past origins"
    return (
        f", and how they compare with what followed {settings.origins} past origins ({settings.universes} universes of "
        f"{settings.horizon} bars there)"
    )


def _apart(row: AtSetting, own: AtSetting, name: str) -> tuple[bool, float]:
    """Rows that differ in the first knobs come first, each by its value."""
    return getattr(row, name) == getattr(own, name), getattr(row, name)


def _named(row: AtSetting, own: AtSetting) -> str:
    """What differs from the run's setting; the whole of that."""
    words = {
        "temperature": f"temperature {row.temperature:g}",
        "top_p": f"top-p {row.top_p:g}",
        "context": f"context {row.context:,} bars",
    }
    if row.own:
        return f"the run's: {', '.join(words.values())}"
    return next(words[name] for name in KNOBS if getattr(row, name) != getattr(own, name))


def _map(rows: Sequence[AtSetting], real: Sequence[SettingRealism], key: str, what: str) -> Chart:
    """P(loss) or the expected shortfall over all settings."""
    figures_by_name: dict[str, tuple[Callable[[AtSetting], Estimate], str]] = {
        "loss": (lambda row: row.probability_of_loss, "P(loss) over the generator's settings"),
        "shortfall": (
            lambda row: row.expected_shortfall_97_5,
            "Expected shortfall 97.5% over the generator's settings",
        ),
    }
    figure, title = figures_by_name[what]
    read = share if what == "loss" else percent
    own = figure(next(row for row in rows if row.own))
    values = [figure(row).value for row in rows]
    known = [value for value in values if value is not None]
    sentence = (
        f"It lies between {read(min(known))} and {read(max(known))}; at the run's own setting it is "
        f"{read(own.value)}, and chance alone leaves {interval(own.low, own.high, read=_reader(read))} open."
    )
    return _drawn(rows, real, values, f"{key}-knobs-{what}", title, sentence, "warm", percent_tick)


def _realism_map(
    rows: Sequence[AtSetting], real: Sequence[SettingRealism], settings: GeneratorSweep, key: str
) -> list[Chart]:
    """Volatility of the universes over the market's; nothing where no origin could be compared."""
    values = [value for row in real if (value := row.volatility_ratio) is not None]
    if len(values) < len(real):
        return []
    own = next(value for value, row in zip(values, rows, strict=True) if row.own)
    sentence = (
        f"Bars are {number(min(values))} to {number(max(values))} times as volatile as those that followed "
        f"{settings.origins} past origins, at the run's own setting {number(own)} times: far below 1 the universes "
        "understate risk."
    )
    title = "Volatility of the universes over the market's"
    return [_drawn(rows, real, values, f"{key}-knobs-volatility", title, sentence, "cool", lambda edge: f"{edge:g}")]


def _drawn(
    rows: Sequence[AtSetting],
    real: Sequence[SettingRealism],
    values: Sequence[float | None],
    key: str,
    title: str,
    sentence: str,
    hue: str,
    read: Callable[[float], str],
) -> Chart:
    columns = sorted({row.temperature for row in rows})
    lines = sorted({(row.context, row.top_p) for row in rows})
    cells = [(columns.index(row.temperature), lines.index((row.context, row.top_p))) for row in rows]
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    x, y = Axis(0, len(columns)), Axis(0, len(lines))
    shapes, legend = heatmap.heatmap_shapes(cells, numbers, len(columns), len(lines), hue=hue, read=read)
    places = x.at([i + 0.5 for i, _ in cells]), y.at([j + 0.5 for _, j in cells])
    own = next(at for at, row in enumerate(rows) if row.own)
    return Chart(
        key=key,
        title=title,
        sentence=sentence,
        x_ticks=[Tick(100 * float(x.at(at + 0.5)), f"{one:g}") for at, one in enumerate(columns)],
        y_ticks=[
            Tick(100 * float(y.at(at + 0.5)), f"{context:,} · {top_p:g}") for at, (context, top_p) in enumerate(lines)
        ],
        x_name="temperature",
        y_name="bars of context · top-p",
        shapes=shapes,
        points=[Point(100 * float(places[0][own]), 100 * float(places[1][own]), "best")],
        legend=[*legend, ("best", "the run's own setting")],
        hover={
            "unit": "text",
            "x": rounded(places[0]),
            "y": rounded(places[1]),
            "titles": [f"temperature {row.temperature:g}, top-p {row.top_p:g}, {row.context:,} bars" for row in rows],
            "series": [
                {"name": "P(loss)", "text": [share(row.probability_of_loss.value) for row in rows]},
                {"name": "shortfall", "text": [percent(row.expected_shortfall_97_5.value) for row in rows]},
                {"name": "median return", "text": [percent(row.median_return, signed=True) for row in rows]},
                {"name": "volatility over the market's", "text": [number(row.volatility_ratio) for row in real]},
                {"name": "inside the 90% intervals", "text": [share(row.coverage_90) for row in real]},
            ],
        },
        named=True,
    )


def _reader(read: Callable[[float], str]) -> Callable[..., str]:
    return lambda value, signed=False: read(value)
