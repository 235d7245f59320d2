"""What the answer depends on: costs, the strategy's parameters and shocks, in one table under one picture."""

from __future__ import annotations

from stresslab.analysis.result_models import RiskFigures
from stresslab.analysis.result_studies import AtCosts, Moved, StrategyStudies
from stresslab.report.charts.tornado import MOST, Change, points, tornado_chart
from stresslab.report.sections.table import HEADINGS, Table, figures
from stresslab.report.wording import clean, plain_value, probability


def changes(found: StrategyStudies) -> list[Change]:
    """Everything that was changed, by kind, each once; costs as given are no change."""
    made = [Change("costs", factor_name(row), row) for row in found.costs or () if row.factor != 1]
    if found.parameters:
        made += [Change("parameter", _moved(row), row) for row in found.parameters.moved]
    made += [Change("shock", _short(row.label), row, row.label) for row in found.shocks or ()]
    named = dict[str, Change]()
    for one in made:
        named.setdefault(one.label, one)
    return list(named.values())


def base_of(found: StrategyStudies) -> RiskFigures | None:
    """The figures as it is, in the same universes; None where nothing was changed."""
    if found.fragility:
        return found.fragility.as_generated
    if found.parameters:
        return found.parameters.as_given
    return next((row for row in found.costs or () if row.factor == 1), None)


def table(found: StrategyStudies, key: str) -> Table | None:
    """The table with its picture; None where nothing was changed.

    Args:
        found: the studies of one strategy.
        key: of the strategy's charts.
    """
    base, changed = base_of(found), changes(found)
    if base is None or not changed:
        return None
    own = base.probability_of_loss
    cells = [("as it is", "", *figures(base))]
    cells += [(one.name or one.label, points(one.loss, own), *figures(one.figures)) for one in changed]
    drawn = (tornado_chart(own, changed, f"{key}-tornado"),)
    headings = ("Change", "P(loss) moves by", *HEADINGS)
    return Table("tornado", "What it depends on", _told(found, changed), headings, tuple(cells), drawn, pictured=True)


def _told(found: StrategyStudies, changed: list[Change]) -> str:
    kinds = {"costs": "other costs", "parameter": "each parameter a little lower or higher", "shock": "shocks"}
    *most, last = [what for kind, what in kinds.items() if any(one.kind == kind for one in changed)]
    text = f"The same universes with {', '.join(most)}{' and ' if most else ''}{last}."
    near = [one.loss for one in changed if one.kind == "parameter"]
    if near:
        low, high = (pick(near, key=lambda loss: loss.value) for pick in (min, max))
        text += (
            f" With parameters next to its own P(loss) lies between {probability(low)} and {probability(high)}; a rule "
            "that holds at its own values alone was probably lucky."
        )
    refused = ", ".join(_moved(row) for row in (found.parameters.refused if found.parameters else ()))
    if refused:
        text += f" The strategy refuses {refused}."
    if len(changed) > MOST:
        text += f" Drawn are the {MOST} that move it most."
    return text


def factor_name(row: AtCosts) -> str:
    """A multiple of the costs in words."""
    named = {0.0: "no costs", 1.0: "costs as given"}
    return named.get(row.factor, f"costs x {row.factor:g}")


def _short(label: str) -> str:
    """A shock's name without where it is laid: a gap of 5%, no fills for 5 bars."""
    return label.partition(" against ")[0].partition(" after ")[0]


def _moved(row: Moved) -> str:
    return f"{clean(row.parameter)}={clean(plain_value(row.value))}"
