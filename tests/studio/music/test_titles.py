from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finetuning.studio.music import choose_key, title_for
from finetuning.studio.music.theory import KEYS


@given(st.text(min_size=1, max_size=700), st.integers())
def test_titles_and_keys_are_made_of_anything(tags: str, seed: int) -> None:
    title = title_for(tags, seed)
    assert 3 <= len(title) <= 80
    assert title == title.strip() == title_for(tags, seed)
    key, scale = choose_key(tags, seed)
    assert key in KEYS
    assert scale in ("major", "minor")
    assert (key, scale) == choose_key(tags, seed)


def test_moods_lean_major_and_minor() -> None:
    happy = [choose_key("happy joyful pop", seed)[1] for seed in range(200)]
    sad = [choose_key("sad melancholy pop", seed)[1] for seed in range(200)]
    assert happy.count("major") > 150
    assert sad.count("minor") > 150


def test_seeds_give_other_titles_and_all_keys() -> None:
    assert len({title_for("lofi chill piano", seed) for seed in range(100)}) > 50
    assert {choose_key("lofi", seed)[0] for seed in range(200)} == set(KEYS)
