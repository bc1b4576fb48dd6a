"""What is written behind %ft, to arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from finetuning.bulk import BulkOutcome
from finetuning.client.views import PlaylistView
from finetuning.errors import SelectionError, UsageError
from finetuning.frames import playlists_frame
from finetuning.notebook.expansion import expand
from finetuning.records import Generation, Playlist

FRAME = pd.DataFrame({"id": ["a", "b", "c"], "bpm": [80, 120, 140]})
LISTED = Playlist(id="pl_1", name="Focus Beats", tracks=[])

VALUES: dict[str, Any] = {
    "keepers": FRAME,
    "fast": FRAME[FRAME.bpm > 100],
    "none": FRAME[FRAME.bpm > 200],
    "record": Generation(id="r"),
    "playlist": LISTED,
    "view": PlaylistView.of(LISTED),
    "listed": playlists_frame([LISTED]),
    "outcome": BulkOutcome("Added", ["a"], ["a"]),
    "name": "Focus Beats",
    "quoted": 'say "hi"',
    "number": 7,
    "folder": Path("takes") / "of today",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("", []),
        ("list  --limit\t50", ["list", "--limit", "50"]),
        ('playlist show "Focus Beats"', ["playlist", "show", "Focus Beats"]),
        ("generate 'lofi \"chill\"' ''", ["generate", 'lofi "chill"', ""]),
        (r"a\ b \"c\' \{d\} \$e C:\takes\new", ["a b", "\"c'", "{d}", "$e", r"C:\takes\new"]),
        ("$$5 5$ $", ["$5", "5$", "$"]),
        ("trailing\\", ["trailing\\"]),
    ],
)
def test_words_are_divided_and_quoted_as_in_a_shell(line: str, arguments: list[str]) -> None:
    assert expand(line, {}) == arguments


@pytest.mark.parametrize(
    ("hole", "arguments"),
    [
        ("{keepers}", ["a", "b", "c"]),
        ("{{keepers}}", ["a", "b", "c"]),
        ('"{keepers}"', ["a", "b", "c"]),
        ("$keepers", ["a", "b", "c"]),
        ("{ keepers }", ["a", "b", "c"]),
        ("{keepers[keepers.bpm > 100]}", ["b", "c"]),
        ("{keepers.query(\"bpm > 100 and id != 'c'\")}", ["b"]),
        ("{keepers.id}", ["a", "b", "c"]),
        ("{keepers.iloc[1]}", ["b"]),
        ("{keepers.set_index('id').index}", ["a", "b", "c"]),
        ("{[row.id for row in keepers.itertuples() if row.bpm < number * 20]}", ["a", "b"]),
        ("{{'a': 'z'}['a']}", ["z"]),
        ("{record}", ["r"]),
        ("{[record, 'x']}", ["r", "x"]),
        ("{playlist}", ["pl_1"]),
        ("{view}", ["pl_1"]),
        ("{listed.iloc[0]}", ["pl_1"]),
        ("{name}", ["Focus Beats"]),
        ('"{name}"', ["Focus Beats"]),
        ("'{name}'", ["Focus Beats"]),
        ("$name", ["Focus Beats"]),
        ("{quoted}", ['say "hi"']),
        ("{number}", ["7"]),
        ("{keepers.bpm.max()}", ["140"]),
        ("{folder}", [str(Path("takes") / "of today")]),
        ("take-{number}.mp3", ["take-7.mp3"]),
        ("{number}{number}", ["77"]),
        ("{record}.mp3", ["r.mp3"]),
    ],
)
def test_values_of_the_notebook_fill_the_holes(hole: str, arguments: list[str]) -> None:
    assert expand(f"do {hole} done", VALUES) == ["do", *arguments, "done"]


@pytest.mark.parametrize(
    ("line", "kind", "says"),
    [
        ("x {keeper}", UsageError, "There is no variable 'keeper', which {keeper} names.\nDid you mean 'keepers'?"),
        ("x $zzz", UsageError, "There is no variable 'zzz'"),
        ("x {none}", SelectionError, "{none}: The selection is empty."),
        ("x {nothing}", SelectionError, "{nothing}: A value of type NoneType"),
        ("x {outcome}", SelectionError, "Pass its .failed."),
        ("x {listed}", SelectionError, "These are playlists, not tracks."),
        ("x {keepers.bpm}", SelectionError, "{keepers.bpm}: That is the column 'bpm'"),
        ("x take-{keepers}.mp3", SelectionError, "{keepers} is 3 tracks, and stands within a word."),
        ("x {1 / 0}", UsageError, "{1 / 0} cannot be evaluated: ZeroDivisionError"),
        ("x {keepers", UsageError, "The brace at '{keepers' does not hold a Python expression."),
        ("x {}", UsageError, "does not hold a Python expression"),
        ('x "Focus Beats', UsageError, 'A " is not closed.'),
    ],
)
def test_what_cannot_be_filled_in_says_why(line: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind) as refused:
        expand(line, VALUES)
    assert says in str(refused.value)


def test_the_names_of_the_notebook_stay_as_they_were() -> None:
    names = {"x": 1}
    assert expand("{(y := x + 1)}", names) == ["2"]
    assert names == {"x": 1}
