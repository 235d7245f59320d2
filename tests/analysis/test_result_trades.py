"""The typed result of a list of trades."""

from __future__ import annotations

from stresslab.analysis.result_trades import TradeSide, TradeStudy


def test_every_field_says_what_it_is() -> None:
    """The schema names the sides, the defects and what is null."""
    fields = TradeStudy.model_json_schema()["properties"]
    assert {"listed", "edge", "matched", "universes", "sides", "defects", "notices"} <= set(fields)
    assert "supported" in fields["sides"]["description"]
    assert set(TradeSide.model_fields) == {"rows", "largest", "kelly"}
