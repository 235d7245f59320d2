"""The tables of several symbols: the riskiest first, real beside simulated, one word for a rule."""

from __future__ import annotations

from stresslab.analysis.result_symbols import Diversification, SymbolPart, Symbols
from stresslab.report.sections.symbols import tables


def share(value: float) -> dict[str, float]:
    """A share with its interval."""
    return {"value": value, "low": max(value - 0.1, 0.0), "high": min(value + 0.1, 1.0)}


def part(symbol: str, shortfall: float) -> dict[str, object]:
    """One symbol."""
    return {
        "symbol": symbol, "backtest": 0.1, "mean": 0.02, "probability_of_loss": share(0.4), "exposure": 0.3,
        "expected_shortfall_97_5": share(shortfall), "timing": 1.2,
    }  # fmt: skip


FOUND = Symbols.of(
    {
        "symbols": [part("CALM", 0.05), part("WILD", 0.25)],
        "diversification": {
            name: {"probability_of_loss": share(0.3), "expected_shortfall_97_5": share(loss)}
            for name, loss in (("together", 0.2), ("independent", 0.1), ("at_once", 0.3))
        },
        "dependence": {
            "pairs": [
                {
                    "first": "CALM", "second": "WILD", "correlation_simulated": 0.61, "correlation_real": 0.63,
                    "joint_losses_simulated": 0.5, "joint_losses_real": 0.55,
                }
            ],
            "correlation_error": 0.02, "joint_losses_ratio": 0.91, "bars": 1000,
        },
        "worst": [{"universe": 7, "total_return": -0.3, "contributions": {"CALM": -0.05, "WILD": -0.25}}],
        "rule": {
            "breadth": "concentrated", "p_value": 0.01, "p_value_without_best": 0.4, "together": 2.5,
            "without_best": 0.2, "effective_symbols": 1.3, "permutations": 99,
        },
    }
)  # fmt: skip


def test_tables_say_what_was_found() -> None:
    """Each table is there, the riskiest symbol leads, and half of what independence saves is left in the tail."""
    made = {table.key: table for table in tables(FOUND, "one")}
    assert list(made) == ["one-rule", "diversification", "symbols", "correlations", "worst-joint"]
    assert made["symbols"].rows[0][0] == "WILD"
    assert "Concentrated" in made["one-rule"].sentence
    assert "worth 1.30 independent ones. A p-value is the share of 99 random orders" in made["one-rule"].sentence
    assert "50.0% of what independence would save is left" in made["diversification"].sentence
    assert made["correlations"].rows[0][:3] == ("CALM and WILD", "0.63", "0.61")
    assert made["worst-joint"].rows[0][2].startswith("WILD -25.0%")


def test_the_table_of_symbols_can_be_sorted() -> None:
    """Each cell after the symbol's name has the number by which its column is sorted."""
    made = {table.key: table for table in tables(FOUND, "one")}
    table = made["symbols"]
    assert table.orders[0] == (0.3, 0.1, 0.02, 0.4, 0.30000000000000004, 0.25, 1.2)
    assert all(len(order) == len(table.headings) - 1 for order in table.orders)
    assert made["diversification"].orders == ()


def test_parts_that_hedge_one_another_are_said_to() -> None:
    """Less than independent parts lose is more than all that independence saves, and no share of it."""

    def said(together: float, independent: float, at_once: float) -> str:
        losses = {"together": together, "independent": independent, "at_once": at_once}
        sides = {
            name: {"probability_of_loss": share(0.3), "expected_shortfall_97_5": share(loss)}
            for name, loss in losses.items()
        }
        found = FOUND.model_copy(update={"diversification": Diversification.of(sides)})
        return next(table.sentence for table in tables(found, "one") if table.key == "diversification")

    assert said(0.05, 0.1, 0.3).endswith("they hedge one another, so that together they lose less than independent "
                                         "parts would.")  # fmt: skip
    assert "is left" not in said(0.05, 0.1, 0.3)
    assert said(0.3, 0.3, 0.3).endswith("independent parts lose as much in the tail as parts that all fall at once.")


def test_symbols_that_are_never_held_have_no_risk() -> None:
    """They are counted, stand without a P(loss) and are neither drawn nor listed in the worst universes."""
    idle = SymbolPart.of(
        part("IDLE", 0.0) | {"exposure": 0.0, "backtest": 0.0, "mean": 0.0, "probability_of_loss": share(0.0)}
    )
    worst = FOUND.worst[0].model_copy(update={"contributions": {"CALM": 0.05, "IDLE": 0.0, "WILD": -0.35}})
    found = FOUND.model_copy(update={"symbols": (*FOUND.symbols, idle), "worst": (worst,)})
    made = {table.key: table for table in tables(found, "one")}
    assert "WILD loses 25.0% of the initial capital" in made["symbols"].sentence
    assert made["symbols"].sentence.endswith("1 of 3 symbols are never held in the universes.")
    assert made["symbols"].rows[-1][:7] == ("IDLE", "0.0%", "0.0%", "0.0%", "–", "–", "–")
    assert "2 of 3 symbols" in made["symbols"].charts[0].sentence
    assert made["worst-joint"].rows[0][2] == "WILD -35.0%, CALM +5.0%"
    alone = {table.key: table for table in tables(found.model_copy(update={"symbols": (idle,)}), "one")}
    assert alone["symbols"].charts == ()
