"""Listening without knowing: which two takes to ask for next, until a ranking stands."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from finetuning.sweep.ranking import Comparison, Ranking, rank

from .judges import Answer

__all__ = ["Blind", "Question", "Standing", "standings"]


class Question(NamedTuple):
    """Which of two takes is better? `settled` says how far the ranking is, from 0 to 1."""

    number: int
    a: str
    b: str
    settled: float


class Standing(NamedTuple):
    """Where one take stands: its rank, between which it lies with nine tenths, and in how many answers it was."""

    key: str
    rank: int
    low: int
    high: int
    compared: int


class Blind:
    """One round of blind questions about some takes.

    Parameters
    ----------
    keys
        Of the takes, at least two.
    answers
        That were given before; they count.
    """

    def __init__(self, keys: Sequence[str], answers: Sequence[Answer]) -> None:
        self.keys = list(keys)
        self.asked: Question | None = None
        self._draw = random.Random()
        self._number = 0
        # Takes of which nothing is known are equal to the ranking, which asks for the first of them: no clue that way.
        self._draw.shuffle(self.keys)

    def next(self, answers: Sequence[Answer]) -> Question | None:
        """Return the next question; None when the ranking stands.

        Parameters
        ----------
        answers
            All that were given so far.
        """
        known = _rank(self.keys, answers)
        last = None if self.asked is None else (self.keys.index(self.asked.a), self.keys.index(self.asked.b))
        pair = known.question(last)
        if pair is None:
            self.asked = None
            return None
        self._number += 1
        a, b = self._draw.sample(pair, 2)
        self.asked = Question(self._number, self.keys[a], self.keys[b], _settled(known))
        return self.asked


def standings(keys: Sequence[str], answers: Sequence[Answer]) -> list[Standing]:
    """Rank the takes that were in at least one answer, the best first."""
    among = {answer.better for answer in answers} | {answer.other for answer in answers}
    compared = [key for key in keys if key in among]
    if not compared:
        return []
    known = _rank(compared, answers)
    rows = zip(compared, *(column.tolist() for column in _columns(known)), strict=True)
    return sorted((Standing(*row) for row in rows), key=lambda standing: standing.rank)


def _columns(known: Ranking) -> tuple[Any, ...]:
    return known.ranks, known.low, known.high, known.compared


def _rank(keys: Sequence[str], answers: Sequence[Answer]) -> Ranking:
    places = {key: place for place, key in enumerate(keys)}
    told = [
        Comparison(places[answer.better], places[answer.other], "same" if answer.same else "a")
        for answer in answers
        if answer.better in places and answer.other in places and answer.better != answer.other
    ]
    return rank(len(keys), told)


def _settled(known: Ranking) -> float:
    """How much of what was unknown of the strengths at first is known: the shrinking of their standard deviations."""
    count = len(known.strength)
    before = rank(count, []).covariance
    left = np.sqrt(np.diag(known.covariance).mean() / np.diag(before).mean())
    return float(np.clip(1 - left, 0, 1))
