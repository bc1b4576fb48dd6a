from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finetuning.audio.cache import SoundCache


@given(
    st.integers(0, 40),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 25), st.booleans()), max_size=40),
)
def test_the_cache_stays_within_its_bound_and_drops_what_was_used_least_recently(
    bound: int, steps: list[tuple[str, int, bool]]
) -> None:
    cache = SoundCache(bound)
    model: dict[str, bytes] = {}  # insertion order is the order of use
    for name, size, reading in steps:
        if reading:
            assert cache.get(name) == model.get(name)
            if name in model:
                model[name] = model.pop(name)
        else:
            model.pop(name, None)
            model[name] = bytes(size)
            cache.put(name, bytes(size))
            while sum(map(len, model.values())) > bound:
                del model[next(iter(model))]
        assert {name: cache.get(name) for name in model} == model
        assert all(cache.get(name) is None for name in set("abcdef") - set(model))
