from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetuning.panels.deck.blindness import Blind, standings
from finetuning.panels.deck.judges import Answer
from finetuning.sweep.ranking import Comparison, Outcome, Ranking, rank

OUTCOMES: tuple[Outcome, ...] = ("a", "b", "same")


def listen(strength: np.ndarray, seed: int, most: int = 300) -> tuple[Ranking, int]:
    """Somebody who hears as the model says answers until the ranking stands."""
    draw = np.random.default_rng(seed)
    answers: list[Comparison] = []
    last = None
    while len(answers) < most:
        known = rank(len(strength), answers)
        pair = known.question(last)
        if pair is None:
            break
        a, b = last = pair
        logits = np.array([strength[a], strength[b], -1.0 + (strength[a] + strength[b]) / 2])
        chances = np.exp(logits - logits.max())
        answers.append(Comparison(a, b, OUTCOMES[draw.choice(3, p=chances / chances.sum())]))
    return rank(len(strength), answers), len(answers)


@pytest.mark.parametrize("seed", range(4))
def test_a_known_order_is_recovered(seed: int) -> None:
    strength = np.random.default_rng(seed).permutation(np.linspace(3, -3, 7))
    true = np.argsort(np.argsort(-strength)) + 1
    found, asked = listen(strength, seed)
    assert 10 < asked < 60
    assert np.corrcoef(true, found.ranks)[0, 1] > 0.75
    assert np.mean((found.low <= true) & (true <= found.high)) > 0.8
    assert found.compared.sum() == 2 * asked


def test_who_is_always_right_is_understood_soon() -> None:
    found, asked = listen(np.array([0.0, 40.0, 20.0, -20.0]), 0)
    assert found.ranks.tolist() == [3, 1, 2, 4]
    assert asked < 20


def test_without_answers_nothing_is_known() -> None:
    found = rank(5, [])
    assert np.allclose(found.strength, 0)
    assert found.low.tolist() == [1] * 5
    assert found.high.tolist() == [5] * 5
    assert found.question() is not None
    assert rank(1, []).question() is None


def test_ties_pull_together_and_wins_apart() -> None:
    won, tied = rank(2, [Comparison(0, 1, "a")]), rank(2, [Comparison(0, 1, "same")])
    assert won.strength[0] > 0 > won.strength[1]
    assert np.allclose(tied.strength, 0)
    assert tied.tie > won.tie
    assert np.allclose(won.strength, rank(2, [Comparison(1, 0, "b")]).strength)


def test_the_same_question_is_not_asked_twice_in_a_row() -> None:
    found = rank(3, [])
    pair = found.question()
    assert pair is not None
    assert found.question(pair) not in (pair, pair[::-1])
    assert rank(2, []).question((0, 1)) == (0, 1)


answers = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from(OUTCOMES)).filter(lambda each: each[0] != each[1]),
    max_size=60,
)


@given(answers)
def test_it_is_a_maximum_with_ranks_inside_their_intervals(given_answers: list[tuple[int, int, Outcome]]) -> None:
    told = [Comparison(*each) for each in given_answers]
    found = rank(5, told)
    assert sorted(found.ranks) == [1, 2, 3, 4, 5]
    assert ((found.low <= found.ranks) & (found.ranks <= found.high)).all()
    assert (np.linalg.eigvalsh(found.covariance) > 0).all()
    assert np.allclose(found.information(), found.information().T)

    def height(strength: np.ndarray, tie: float) -> float:
        total = -(strength**2).sum() / (2 * 1.5**2) - (tie + 0.7) ** 2 / 2
        for a, b, outcome in told:
            logits = np.array([strength[a], strength[b], tie + (strength[a] + strength[b]) / 2])
            total += logits[OUTCOMES.index(outcome)] - np.logaddexp.reduce(logits)
        return float(total)

    best = height(found.strength, found.tie)
    for step in (0.01, -0.01):
        for place in range(5):
            assert best > height(found.strength + step * np.eye(5)[place], found.tie)
        assert best > height(found.strength, found.tie + step)


def test_a_round_names_the_takes_and_counts_what_was_answered_before() -> None:
    earlier = [Answer("a", "b"), Answer("a", "c", same=True), Answer("x", "a"), Answer("a", "a")]
    blind = Blind(["a", "b", "c"], earlier)
    question = blind.next(earlier)
    assert question is not None
    assert question.number == 1
    assert {question.a, question.b} < {"a", "b", "c"}
    assert 0 < question.settled < 1
    sure = [Answer(*pair) for pair in (("a", "b"), ("b", "c"), ("a", "c")) for _ in range(30)]
    assert blind.next(sure) is None
    assert blind.asked is None
    found = standings(["c", "b", "a", "never"], sure)
    assert [(each.key, each.rank, each.compared) for each in found] == [("a", 1, 60), ("b", 2, 60), ("c", 3, 60)]
    assert standings(["a", "b"], []) == []
