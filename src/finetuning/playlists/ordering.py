"""`flow`: an order in which tempo and key go over into one another."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from finetuning.errors import ParameterError

from .paths import shortest_path
from .wheel import Place, key_steps, place_of, tempo_changes, tempo_steps

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["ARCS", "FLOW_COLUMNS", "Arc", "flow"]

Arc = Literal["rise", "fall", "arch"]
ARCS: Final = ("rise", "fall", "arch")
#: What `flow` adds.
FLOW_COLUMNS: Final = ("camelot", "key_step", "tempo_step", "step_cost", "flow_reason")
#: Columns that say how energetic a track is; the first that is there counts.
_ENERGIES: Final = ("loudness", "onset_density")
#: What it costs to stand at the other end of the arc than one's energy, in steps.
_ARC: Final = 24.0
#: The matrices of more rows would not fit into a small machine, and nobody listens to so many in a row.
_MOST: Final = 2000


def flow(
    tracks: pd.DataFrame,
    start: str | None = None,
    *,
    arc: Arc | None = None,
    measured: bool = True,
    tempo_weight: float = 1.0,
) -> pd.DataFrame:
    """Order tracks so that each goes over into the next: in key, on the Camelot wheel, and in tempo.

    A step costs the distance on the wheel (0 for the same key, 1 for a neighbour or the relative key) and the change of
    tempo in semitones (1 for 6 %); half and double tempo count as the same.

    Parameters
    ----------
    tracks
        A generations frame, a run's or a measured one.
    start
        The id of the track to begin with; by default the order may begin anywhere.
    arc
        Let the energy `rise`, `fall`, or rise and fall (`arch`) besides: the loudness, or where it is missing the
        onset density, by rank. It pulls; it does not sort.
    measured
        Take `measured_bpm`, `measured_key` and `measured_scale` where they are there, and what was asked for elsewhere.
    tempo_weight
        What a semitone of tempo costs, in steps of the wheel.

    Returns
    -------
    DataFrame
        The same rows in another order, with `camelot` (text such as `8A`), `key_step` (0 to 7), `tempo_step` (share by
        which the tempo changes, folded into ±half an octave: 0.06 is 6 % faster), `step_cost` (NaN on the first row)
        and `flow_reason`. Rows without tempo or key stand at the end, in the order in which they were, and say why.
        Up to 12 rows the path is the cheapest there is; beyond, it is a good one, never dearer than the order given,
        and always the same.

    Raises
    ------
    ParameterError
        No such start, no column of energy for the arc, or more than 2,000 rows.

    References
    ----------
    See `finetuning.playlists.wheel` and `finetuning.playlists.paths`.
    """
    import pandas as pd

    if not isinstance(tracks, pd.DataFrame):
        raise ParameterError(
            f"A value of type {type(tracks).__name__} is not a DataFrame of tracks.",
            parameter="tracks",
            value=tracks,
            hint="Pass client.generations(), a playlist's .tracks, or what df.ft.measure() returned.",
        )
    if arc is not None and arc not in ARCS:
        raise ParameterError(f"arc={arc!r} is not one of {', '.join(ARCS)}.", parameter="arc", value=arc)
    weight: Any = tempo_weight
    if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
        raise ParameterError(
            f"tempo_weight={tempo_weight!r} is not a number from 0.", parameter="tempo_weight", value=tempo_weight
        )
    found = [place_of(*row) for row in _asked(tracks, measured=measured)]
    rows = [row for row, place in enumerate(found) if isinstance(place, Place)]
    if len(rows) > _MOST:
        raise ParameterError(
            f"{len(rows):,} tracks are too many to be put in one order; {_MOST:,} are the most.",
            parameter="tracks",
            hint="Choose among them first.",
        )
    places = [place for place in found if isinstance(place, Place)]
    first = _start(tracks, start, rows, found)
    keys, tempi = key_steps(places), tempo_changes(places)
    costs = keys + tempo_weight * np.abs(tempi)
    path = shortest_path(costs, None if arc is None else _pull(tracks, rows, arc), first)
    left = [row for row in range(len(tracks)) if row not in set(rows)]
    ordered = tracks.iloc[[*(rows[step] for step in path), *left]].drop(columns=list(FLOW_COLUMNS), errors="ignore")
    here, there = path[:-1], path[1:]
    steps = {
        "key_step": keys[here, there],
        "tempo_step": tempo_steps(tempi[here, there]),
        "step_cost": costs[here, there],
    }
    codes = [places[step].code for step in path]
    return ordered.assign(
        camelot=pd.array([*codes, *(None for _ in left)], dtype="str"),
        **{name: _padded(values, len(path), len(ordered)) for name, values in steps.items()},
        flow_reason=pd.array([*(None for _ in path), *(str(found[row]) for row in left)], dtype="str"),
    )


def _padded(values: NDArray[np.float64], known: int, rows: int) -> NDArray[np.float64]:
    """Put what leads to each row beside it: nothing leads to the first, nor to those at the end."""
    padded = np.full(rows, np.nan)
    padded[1:known] = values
    return padded


def _asked(tracks: pd.DataFrame, *, measured: bool) -> list[tuple[Any, Any, Any]]:
    """Read tempo, tonic and scale of each row; a measured key and its scale belong together."""
    bpm, key, scale = (_column(tracks, name) for name in ("bpm", "key", "scale"))
    if measured:
        bpm = [
            here if _there(here) else asked for here, asked in zip(_column(tracks, "measured_bpm"), bpm, strict=True)
        ]
        heard = zip(_column(tracks, "measured_key"), _column(tracks, "measured_scale"), strict=True)
        both = [
            pair if all(map(_there, pair)) else asked
            for pair, asked in zip(heard, zip(key, scale, strict=True), strict=True)
        ]
        key, scale = [pair[0] for pair in both], [pair[1] for pair in both]
    return list(zip(bpm, key, scale, strict=True))


def _column(tracks: pd.DataFrame, name: str) -> list[Any]:
    return list(tracks[name].astype(object)) if name in tracks.columns else [None] * len(tracks)


def _there(value: Any) -> bool:
    import pandas as pd

    return not pd.isna(value)


def _start(tracks: pd.DataFrame, start: str | None, rows: list[int], found: list[Place | str]) -> int | None:
    if start is None:
        return None
    ids = _column(tracks, "id")
    if start not in ids:
        raise ParameterError(
            f"start={start!r} is the id of none of these tracks.", parameter="start", value=start, hint="Pass its id."
        )
    row = ids.index(start)
    if row not in rows:
        raise ParameterError(
            f"The track to start with has {found[row]}.", parameter="start", value=start, hint="Choose another."
        )
    return rows.index(row)


def _pull(tracks: pd.DataFrame, rows: list[int], arc: Arc) -> NDArray[np.float64]:
    """Return what it costs each track to stand at each place: its energy's rank against that of the arc."""
    import pandas as pd

    known = {each: pd.to_numeric(tracks[each], errors="coerce") for each in _ENERGIES if each in tracks.columns}
    name = next((each for each, values in known.items() if values.notna().any()), None)
    if name is None:
        raise ParameterError(
            f"An arc needs a column {' or '.join(_ENERGIES)}.",
            parameter="arc",
            value=arc,
            hint="Measure first: ft.playlists.flow(df.ft.measure(), arc='rise').",
        )
    energy = known[name].iloc[rows].astype("float64")
    ranks = energy.rank(method="average")
    last = max(int(ranks.notna().sum()) - 1, 1)
    level = ((ranks - 1) / last).to_numpy()
    places = np.linspace(0, 1, len(rows))
    wish = {"rise": places, "fall": 1 - places, "arch": 1 - np.abs(2 * places - 1)}[arc]
    # What has no energy pulls nowhere.
    pull: NDArray[np.float64] = np.nan_to_num(_ARC / max(len(rows), 1) ** 0.5 * (level[:, None] - wish[None, :]) ** 2)
    return pull
