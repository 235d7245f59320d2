"""What a result rests on: data, universes and what was repaired."""

from __future__ import annotations

from dataclasses import replace

from stresslab.analysis.result import StressResult
from stresslab.report.sections.inputs import inputs


def test_inputs_say_what_it_rests_on(single: StressResult) -> None:
    """Purpose with the regulation worded right, data with repairs, seed, training, costs and position."""
    config = single.config | {"position": "flat", "slippage": 0.001}
    text = " ".join(
        paragraph
        for _, paragraphs in inputs(replace(single, config=config, data=single.data.model_copy(update={"repaired": 3})))
        for paragraph in paragraphs
    )
    assert "3 rows were repaired or dropped" in text
    assert "from seed 0" in text
    assert "fees 0.05%, slippage 0.1%" in text
    assert "waits for a new signal" in text
    assert "not the stress testing of system capacity in RTS 6, Article 10" in text
    assert "17 of 12,000 generated bars" in text
