"""The page of a stress test."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace

import pytest

from stresslab.analysis.result import StressResult
from stresslab.metrics.measures import MEASURES
from stresslab.report.formats.html import render
from stresslab.report.wording import CHECKS
from tests.make.gridded import gridded
from tests.make.pages import Page
from tests.make.results import make_result


def test_page_is_self_contained(result: StressResult) -> None:
    """The page asks no server for anything."""
    text = render(result)
    assert not re.search(r"https?://|url\(|@import|\bfetch\(|XMLHttpRequest", text)
    for tag, attributes in Page(text).tags:
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith(("#", "data:,")), tag


def test_tags_are_balanced(result: StressResult) -> None:
    """Every element that is opened is closed, in order."""
    assert Page(render(result)).open == []


def test_every_verdict_check_and_measure_is_shown(result: StressResult) -> None:
    """For each strategy the page holds its label, its reasons, all checks and all measures."""
    page = Page(render(result))
    for strategy in result.strategies:
        assert strategy.verdict.label in page.text
        for reason in strategy.verdict.reasons:
            assert reason in page.text
        for check in strategy.verdict.checks:
            assert page.text.count(CHECKS[check.name]) == len(result.strategies)
            assert check.note in page.text
    for row in MEASURES.values():
        assert page.text.count(row.description) == len(result.strategies)


def test_verdict_comes_before_the_evidence(single: StressResult) -> None:
    """The label is read before any notice, chart or table."""
    text = Page(render(single)).text
    reason = text.index(single.strategies[0].verdict.reasons[0])
    assert reason < text.index("Before you rely on it") < text.index("universes over the real path")


def test_undefined_numbers_have_a_sign(result: StressResult) -> None:
    """No number that does not exist shows as nan, None, null or inf, in text, attributes or hover data."""
    text = render(result)
    page = Page(text)
    drawn = [str(found[name]) for _, found in page.tags for name in ("aria-label", "d", "style") if name in found]
    assert not re.search(r"\b(nan|none|null|inf|infinity)\b", " ".join([page.text, *drawn]), re.IGNORECASE)
    assert not re.search("NaN|Infinity", text)


def test_names_from_outside_do_no_harm() -> None:
    """A strategy, symbol or notice that looks like markup is shown as it is written and runs nothing."""
    evil = "</script><script>alert(1)</script>"
    result = make_result("follow", universes=50, rename={"follow": evil}, notices=[evil])
    data = result.data.model_copy(update={"symbol": '"><img src=x onerror=alert(1)>'})
    result = replace(result, data=data)
    result.config["strategies"] = [evil]
    text = render(result)
    page = Page(text)
    charts = [attributes for tag, attributes in page.tags if tag == "div" and "data-chart" in attributes]
    scripts = [attributes.get("type") for tag, attributes in page.tags if tag == "script"]
    assert scripts == ["application/json"] * len(charts) + [None]
    assert all(tag != "img" for tag, _ in page.tags)
    assert evil in html.unescape(page.text)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_realised_outcome_is_marked_or_absent(single: StressResult, forward: StressResult) -> None:
    """The real outcome is marked in the histogram where there is one, and spoken of nowhere where there is none."""
    assert "real outcome +" in Page(render(single)).text
    text = Page(render(forward)).text
    assert "the test looks only forward" in text
    assert "real outcome" not in text
    assert "at quantile" not in text


def test_few_real_bars_are_told() -> None:
    """Real bars that do not fill the horizon are drawn, and the page says how many there are."""
    whole = make_result("hold", universes=50, realised=False)
    longer = make_result("hold", universes=50)
    partial = make_result("hold", universes=50, realised=False, bars=longer.bars[: len(whole.bars) + 7])
    assert "only 7 of 60 real bars have followed" in Page(render(partial)).text


def test_notices_are_repeated(single: StressResult) -> None:
    """Warnings and notes of the data, the training of the generator and the missing realism check stand on the page."""
    text = Page(render(single)).text
    assert "Warning Row 212 (2014-06-09): the open is 0.5 times" in text
    assert text.index("Row 212") < text.index("Note No amount: it is volume")
    assert "The universes' realism was not assessed" in text
    assert "Out-of-sample" in text


def test_in_sample_is_a_warning_told_once() -> None:
    """A generator trained after the origin is labelled in-sample at the top, and the notice is not told twice."""
    notice = "In-sample for the generator: it was trained on bars up to 2019-12-31, after the origin, so it may know."
    generator = {"name": "kronos", "model": "nano", "trained_until": "2019-12-31"}
    result = make_result("hold", universes=50, in_sample=True, generator=generator, notices=[notice, notice])
    page = Page(render(result))
    assert page.text.index("in-sample") < page.text.index("Verdict")
    assert page.text.count(notice) == 1


def test_unknown_training_is_doubtful() -> None:
    """Weights that do not say until when they were trained are not called out-of-sample."""
    result = make_result("hold", universes=50, in_sample=None, generator={"name": "kronos", "trained_until": None})
    text = Page(render(result)).text
    assert "training dates unknown" in text
    assert "out-of-sample" not in text.lower()


def test_overview_links_to_every_strategy(several: StressResult, single: StressResult) -> None:
    """Several strategies are compared in one table whose links lead to their sections; one strategy needs none."""
    page = Page(render(several))
    targets = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(targets) == len(set(targets))
    for position in range(1, len(several.strategies) + 1):
        assert ("a", {"href": f"#strategy-{position}"}) in page.tags
        assert f"strategy-{position}" in targets
    assert 'class="overview' not in render(single)


def test_tables_and_charts_have_names(result: StressResult) -> None:
    """Every header cell has a scope, every chart a text alternative, every reference a target."""
    page = Page(render(result))
    identifiers = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for tag, attributes in page.tags:
        if tag == "th":
            assert attributes["scope"] in ("col", "row")
        if tag == "svg" or attributes.get("role") == "img":
            assert attributes["aria-label"]
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in identifiers


def test_hover_data_fit_their_charts(result: StressResult) -> None:
    """Each chart finds its hover data, with one title and one value per position."""
    text = render(result)
    data = [json.loads(found) for found in re.findall(r'class="hover">(.*?)</script>', text, re.DOTALL)]
    assert len(re.findall(r'data-chart="(.*?)"', text)) == len(data) > 0
    for chart in data:
        assert len(chart["titles"]) == len(chart["x"])
        for series in chart["series"]:
            assert len(series.get("values") or series["text"]) == len(chart["x"])


def test_same_result_same_page(single: StressResult) -> None:
    """The page depends on nothing but the result."""
    assert render(single) == render(make_result("follow", universes=200, notices=single.notices))


def test_long_horizons_keep_the_page_small() -> None:
    """2,000 bars are thinned: the page stays below half a megabyte."""
    assert len(render(make_result("follow", universes=60, horizon=2000))) < 500_000


@pytest.mark.parametrize("universes", [1, 2, 3])
def test_very_few_universes(universes: int) -> None:
    """A page can be made of a handful of universes, whose intervals have no ends."""
    page = Page(render(make_result("follow", universes=universes, horizon=1)))
    assert not re.search(r"\b(nan|None|inf)\b", page.text)


@pytest.mark.slow
def test_ten_thousand_universes_and_twelve_strategies_fit_a_mail() -> None:
    """The page grows with strategies and not with universes, and stays below 5 MB."""
    base = make_result("hold", "follow", "churn", universes=10_000, horizon=120)
    strategies = [replace(base.strategies[i % 3], name=f"strategy {i}") for i in range(12)]
    assert len(render(replace(base, strategies=strategies)).encode()) < 5_000_000


@pytest.mark.parametrize("name", ["studied", "gridded"])
def test_every_link_has_a_target(name: str, request: pytest.FixtureRequest) -> None:
    """Inside a page no link leads nowhere, and no anchor stands twice."""
    page = render(gridded("fast", "slow") if name == "gridded" else request.getfixturevalue(name))
    anchors = re.findall(r' id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors)


def test_the_policy_lets_only_the_page_s_own_script_run(single: StressResult) -> None:
    """The hash is that of the script as it stands in the page; nothing may be loaded or sent."""
    text = render(single)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    rules = html.unescape(policy[1])
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in rules
    assert rules.startswith("default-src 'none'")
    assert "http" not in rules
