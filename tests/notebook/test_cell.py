"""The YAML of %%ft sweep."""

from __future__ import annotations

import inspect
import sys

import pytest

import finetuning as ft
from finetuning.errors import MissingExtraError, ParameterError, UsageError
from finetuning.notebook.cell import PARAMETERS, read_sweep


def test_a_cell_says_what_a_sweep_takes() -> None:
    sweep = read_sweep(
        """tags: lofi chill piano, rain
energy: [low, "on"]
bpm: 80, 90, ..., 110
key: [C, D#]          # a comment
scale: minor
time_signature: 4/4
duration: 20
language: "de"
lyrics: |
  One line: with a colon
  and another
seed: 2
webhook: https://example.org/done
where: bpm < 100 or key == "C"
random_state: 5
"""
    )
    assert sweep.axes["bpm"] == [80, 90, 100, 110]
    assert sweep.axes["key"] == ["C", "D#"]
    points = sweep.points
    assert len(points) == 2 * (2 * 2 + 2) * 2
    assert set(points.energy) == {"low", "on"}
    assert set(points.language) == {"de"}
    assert set(points.lyrics) == {"One line: with a colon\nand another\n"}
    assert set(points.time_signature) == {4}
    again = ft.Sweep("x", seed=2, random_state=5)
    assert set(points.seed) == set(again.points.seed)


def test_every_parameter_of_a_sweep_may_be_said() -> None:
    assert set(PARAMETERS) == set(inspect.signature(ft.Sweep).parameters)


def test_plain_values_are_read_as_a_form_is_read() -> None:
    points = read_sweep("tags: 2024-01-01\nseed: [010, +5]\nduration: 30.0\n").points
    assert set(points.tags) == {"2024-01-01"}
    assert sorted(points.seed) == [5, 10]
    assert set(points.duration) == {30}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("", "The cell names no parameters."),
        ("- a\n- b", "The cell names no parameters."),
        ("bpm: 90", "The cell has no `tags`."),
        ("tags: x\n\ntempi: 90", "Line 4: a sweep has no `tempi`."),
        ("tags: x\ntime-signature: 4", "Line 3: a sweep has no `time-signature`; did you mean `time_signature`?"),
        ("tags: x\n? [a]\n: b", "Line 3: a sweep has no `?`"),
        ("tags: x\nbpm: 90\nbpm: 91", "Line 4: `bpm` stands on line 3 already."),
        ("tags: x\nlanguage: no", "Line 3: `language` is no, a truth value to YAML."),
        ("tags: x\nkey: [C, Yes]", "Line 3: `key` is Yes, a truth value to YAML."),
        ("tags: x\nkey: #C", "Line 3: `key` is empty."),
        ("tags: x\nkey:\n- C\n- ~", "Line 5: `key` is empty."),
        ("tags: x\nbpm: {from: 80}", "Line 3: `bpm` holds a mapping."),
        ("tags: x\nbpm: [[80], 90]", "Line 3: `bpm` holds a list within a list."),
        ("tags: x\nbpm: &a [*a]", "Line 3: `bpm` holds a list within a list."),
        ("tags: !!python/name:os.system x", "Line 2: `tags` has the tag tag:yaml.org,2002:python/name:os.system"),
        ("tags: x\n\tbpm: 90", "Line 3: this is not YAML: found character '\\t' that cannot start any token."),
        ("tags: a: b", "Line 2: this is not YAML: mapping values are not allowed here."),
        ("tags: x\nbpm: *b", "Line 3: this is not YAML: found undefined alias 'b'."),
        ("tags: \x07", "The cell is not YAML: "),
        ("tags: x\nkey: H", "Line 3: key='H' is not one of"),
        ("tags: x\nbpm: 80, ..., 90, fast", "Line 3: "),
        ("tags: x\nduration: 30\nwhere: bmp > 3", "Line 4: where='bmp > 3' is not a query"),
    ],
)
def test_what_a_cell_may_not_say_is_named_with_its_line(cell: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_sweep(cell)
    assert refused.value.message.startswith(says)
    assert refused.value.hint or ":" in says


def test_a_refused_value_keeps_its_parameter() -> None:
    with pytest.raises(ParameterError) as refused:
        read_sweep("tags: x\nscale: [major, dorian]")
    assert refused.value.parameter == "scale"


def test_what_is_wrong_with_no_line_alone_is_said_as_it_is() -> None:
    with pytest.raises(ParameterError) as refused:
        read_sweep("tags: x\nbpm: 60, 61, ..., 200\nduration: 5, 6, ..., 210")
    assert "141 bpm × 206 duration" in refused.value.message
    assert not refused.value.message.startswith("Line")


def test_without_yaml_the_message_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'finetuning\[lab\]'"):
        read_sweep("tags: x")
