"""All runs of a folder at a glance: what each said, when, and where what is traded stands since.

It reads manifests and results alone, so that thousands of runs are listed in a moment; what cannot be read is named.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from stresslab.analysis.result_document import ResultDocument, Strategy, check_version
from stresslab.analysis.result_realism import RealismSection
from stresslab.core.errors import InputError
from stresslab.core.safe_files import MAX_JSON, check_no_links, read_bounded, report_damage_of
from stresslab.core.whole_files import put_text
from stresslab.report.formats.index_page import IndexRow, render_index
from stresslab.report.sections.realism import evidence_of
from stresslab.report.sections.tracking import NOTHING_YET
from stresslab.report.wording import UNDEFINED, clean
from stresslab.runs.track_run import PAGE, STATE, TRACKING
from stresslab.runs.verify import MANIFEST

INDEX = "index.html"
NOT_ASSESSED = evidence_of(None).label
"""What stands for the realism of universes that were not held against past origins."""


@dataclass(frozen=True)
class Index:
    """Every strategy of every run of a folder, the newest run first, and what could not be read.

    Attributes:
        folder: of the runs.
        rows: one for each strategy.
        runs: how many there are.
        unread: (name, why) of folders that look like a run and cannot be read.
    """

    folder: Path
    rows: tuple[IndexRow, ...]
    runs: int
    unread: tuple[tuple[str, str], ...]

    def save(self) -> Path:
        """Write the page into the folder."""
        path = self.folder / INDEX
        put_text(path, render_index(self.folder.resolve().name, self.rows, self.runs, self.unread))
        return path


def index_of(folder: str | Path) -> Index:
    """All runs of a folder.

    Raises:
        InputError: it is no folder, or holds no run.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError(f"{place} is no folder; name the one that runs are written to, such as reports")
    rows: list[IndexRow] = []
    unread, runs = list[tuple[str, str]](), 0
    for run in sorted((one.parent for one in place.glob(f"*/{MANIFEST}")), reverse=True):
        try:
            rows += _rows(run, place)
            runs += 1
        except (InputError, OSError, ValueError) as error:
            unread.append((clean(run.name), clean(" ".join(str(error).split()))))
    if not rows and not unread:
        raise InputError(f"{place} holds no runs; name the folder that runs are written to, such as reports")
    return Index(place, tuple(sorted(rows, key=lambda row: row.created, reverse=True)), runs, tuple(unread))


def _rows(run: Path, folder: Path) -> list[IndexRow]:
    """The strategies of one run."""
    check_no_links(run)
    content, manifest = (read_bounded(run / name, MAX_JSON) for name in ("result.json", MANIFEST))
    with report_damage_of(run):
        facts, about = json.loads(content), json.loads(manifest)
        if hashlib.sha256(content).hexdigest() != about["files"]["result.json"]:
            raise InputError("its result.json is not what the run wrote; it was damaged or changed")
        check_version(facts, str(run))
        document = ResultDocument.read(facts)
        tracked, page = _tracked(folder, run.name)
        return [_row(one, document, run, str(about["created"]), tracked, page) for one in document.strategies]


def _row(
    one: Strategy, document: ResultDocument, run: Path, created: str, tracked: dict[str, str], page: str
) -> IndexRow:
    limits = one.studies.limits
    losses = None if one.edge is None else one.edge.losses
    state = tracked.get(one.name, "")
    return IndexRow(
        strategy=clean(one.name),
        market=clean(document.run.data.symbol),
        label=one.verdict.label,
        edge=UNDEFINED if one.edge is None else one.edge.label,
        loss=one.universes.probability_of_loss,
        without=None if losses is None else losses.without.probability_of_loss,
        planted=None if losses is None else losses.supported.probability_of_loss,
        realism=document.realism.label if isinstance(document.realism, RealismSection) else NOT_ASSESSED,
        universes=document.run.universes,
        seed=document.run.config.get("seed"),
        median=one.universes.of_measure("total_return").median,
        horizon=document.run.horizon,
        generator=clean(str(document.run.generator["name"])),
        limits="" if limits is None or not limits.answers else "kept" if limits.kept else "not all kept",
        created=created,
        state=state,
        run=clean(run.name),
        report=f"{quote(run.name)}/report.html",
        tracking=page if state else "",
    )


def _tracked(folder: Path, run: str) -> tuple[dict[str, str], str]:
    """The state of each strategy by name, and the page that says it; nothing where the run is not tracked."""
    kept = folder / TRACKING / run
    try:
        facts = json.loads(read_bounded(kept / STATE, MAX_JSON))
        states = {
            str(name): str(one["state"]) if one.get("bars", 1) else NOTHING_YET
            for name, one in facts["strategies"].items()
        }
    except (InputError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, ""
    return states, f"{TRACKING}/{quote(run)}/{PAGE}"
