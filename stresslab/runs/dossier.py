"""The facts of a dossier from a YAML file, and the runs that it names, as one dossier for a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from stresslab.analysis.compare import why_not_paired
from stresslab.analysis.dossier import (
    STANDING_LIMITATIONS,
    challenge,
    change_log,
    findings,
    standing_assumptions,
)
from stresslab.analysis.result import StrategyResult, StressResult
from stresslab.analysis.result_dossier import Challenge, Dossier, Point, Signature
from stresslab.core.errors import InputError
from stresslab.runs.folder import load_run
from stresslab.runs.setting import Config
from stresslab.runs.settings_file import read_settings_file


class PointFacts(Config):
    """An assumption or a limitation."""

    text: str = Field(min_length=1)
    mitigation: str = Field(min_length=1)


class SignerFacts(Config):
    """Someone who signs."""

    role: str = Field(min_length=1)
    name: str = ""


class ContestFacts(Config):
    """What is in use, and what is proposed in its place."""

    champion: str = Field(min_length=1)
    challenger: str | None = None
    run: str | None = None


class DossierFacts(Config):
    """The content of a file of facts; folders are found from where the file is."""

    title: str = "Validation dossier"
    owner: str = Field(min_length=1)
    developer: str = ""
    validator: str = ""
    intended_use: str = Field(min_length=1)
    materiality: str = Field(min_length=1)
    version: str = Field(min_length=1)
    approved_run: str | None = None
    contest: ContestFacts | None = None
    assumptions: tuple[PointFacts, ...] = ()
    limitations: tuple[PointFacts, ...] = ()
    conclusion: str = ""
    sign_off: tuple[SignerFacts, ...] = (SignerFacts(role="Owner"), SignerFacts(role="Validator"))


PARTS: Mapping[str, type[Config]] = {
    "assumptions": PointFacts,
    "limitations": PointFacts,
    "sign_off": SignerFacts,
}


def read_facts(path: str | Path) -> DossierFacts:
    """The facts in a file.

    Raises:
        InputError: one line with the first that is missing or cannot be meant.
    """
    content = read_settings_file(path, "owner: A. Name")
    if isinstance(content.get("version"), int | float):
        content["version"] = str(content["version"])
    for name, model in PARTS.items():
        if isinstance(content.get(name), list):
            content[name] = [_part(model, one, f"{path}: {name}") for one in content[name]]
    if isinstance(content.get("contest"), Mapping):
        content["contest"] = _part(ContestFacts, content["contest"], f"{path}: contest")
    return DossierFacts.of(content, str(path))


def _part(model: type[Config], given: Any, source: str) -> Config:
    if not isinstance(given, Mapping):
        names = ", ".join(model.model_fields)
        raise InputError(f"{source}: {given!r:.60} is not a mapping; write {names}")
    return model.of({str(key): value for key, value in given.items()}, source)


def with_dossier(result: StressResult, path: str | Path) -> StressResult:
    """A run with the dossier that a file of facts makes of it.

    Args:
        result: of the run.
        path: of the file.

    Raises:
        InputError: a fact cannot be meant, or a run that it names cannot be read.
    """
    facts, base = read_facts(path), Path(path).resolve().parent
    changes = None
    if facts.approved_run is not None:
        changes = change_log(load_run(base / facts.approved_run), Path(facts.approved_run).name, result)
    own = [Point(text=one.text, mitigation=one.mitigation) for one in facts.assumptions]
    limits = [Point(text=one.text, mitigation=one.mitigation) for one in facts.limitations]
    return replace(
        result,
        dossier=Dossier(
            title=facts.title,
            owner=facts.owner,
            developer=facts.developer,
            validator=facts.validator,
            intended_use=facts.intended_use,
            materiality=facts.materiality,
            version=facts.version,
            assumptions=(*own, *standing_assumptions(result)),
            limitations=(*limits, *STANDING_LIMITATIONS),
            findings=tuple(findings(result)),
            changes=changes,
            challenge=None if facts.contest is None else _contest(facts.contest, result, base),
            conclusion=facts.conclusion,
            sign_off=tuple(Signature(role=one.role, name=one.name) for one in facts.sign_off),
        ),
    )


def _contest(facts: ContestFacts, result: StressResult, base: Path) -> Challenge:
    """The challenger of this run against the champion, of this run or of another."""
    other = result if facts.run is None else load_run(base / facts.run)
    champion = _named(other, facts.champion)
    others = [one.name for one in result.strategies if facts.run is not None or one.name != facts.champion]
    if facts.challenger is None and not others:
        raise InputError(f"champion={facts.champion!r} is the only strategy of the run, so there is no challenger")
    challenger = _named(result, facts.challenger or others[0])
    return challenge(champion, challenger, "" if facts.run is None else why_not_paired(other, result))


def _named(result: StressResult, name: str) -> StrategyResult:
    for one in result.strategies:
        if one.name == name:
            return one
    raise InputError(
        f"strategy {name!r} is none of the run; choose among {', '.join(s.name for s in result.strategies)}"
    )
