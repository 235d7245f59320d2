"""The typed content of a dossier: who answers for what, what is assumed, what was found, what changed, who signs."""

from __future__ import annotations

from typing import Literal

from stresslab.analysis.result_models import Estimate, Model, Share

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")


class Point(Model):
    """An assumption or a limitation, and what mitigates it."""

    text: str
    mitigation: str


class Signature(Model):
    """Someone who signs."""

    role: str
    name: str = ""


class Finding(Model):
    """What a check found, and how severe that is."""

    severity: Severity
    about: str
    text: str


class Change(Model):
    """What is not as in the run that was approved last."""

    name: str
    before: str
    after: str


class ChangeLog(Model):
    """This run against the one that was approved last."""

    run: str
    changes: tuple[Change, ...]
    losses: tuple[tuple[str, float, float], ...]
    """strategy, and its P(loss) then and now"""


class Challenge(Model):
    """A challenger against the champion."""

    champion: str
    challenger: str
    champion_loss: Share
    challenger_loss: Share
    difference: Estimate | None
    """of the mean total return in the same universes, challenger less champion; null where they share none"""
    better: Share | None
    """share of universes in which the challenger returns strictly more"""
    unpaired: str
    """why they are not compared universe by universe; empty where they are"""
    conclusion: str


class Dossier(Model):
    """Everything that a committee is given."""

    title: str
    owner: str
    developer: str
    validator: str
    intended_use: str
    materiality: str
    version: str
    assumptions: tuple[Point, ...]
    limitations: tuple[Point, ...]
    findings: tuple[Finding, ...]
    changes: ChangeLog | None
    challenge: Challenge | None
    conclusion: str
    """the owner's"""
    sign_off: tuple[Signature, ...]
