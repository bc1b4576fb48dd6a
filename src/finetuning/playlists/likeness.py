"""`duplicates`: takes that are nearly the same, by their sound or, where that is not at hand, by their measures."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from finetuning.audio.sound import read_sound
from finetuning.bulk import chunks
from finetuning.errors import FinetuningError, MissingExtraError, ParameterError
from finetuning.frames import generations_frame
from finetuning.records import Generation
from finetuning.selections import Tracks, ids_of

from .prints import Print, fingerprint, likeness
from .showing import counted

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from finetuning.client.blocking import Client

__all__ = ["Duplicates", "duplicates"]

#: What two copies of one take may differ by, in each measure; some by their ratio.
_TOLERANCES: Final = {"measured_duration": 0.6, "brightness": 0.02, "onset_density": 0.05, "crest": 0.7, "bpm": 0.01}
_RATIOS: Final = ("brightness", "onset_density", "bpm")
#: What the measures' similarity is where the farthest is just within its tolerance.
_WITHIN: Final = 0.95
#: So many measures are needed to say anything.
_LEAST: Final = 3
#: How many sounds are fetched at once.
_AHEAD: Final = 8


@dataclass(frozen=True)
class Duplicates:
    """Takes that are nearly the same.

    Attributes
    ----------
    pairs : DataFrame
        `id`, `other`, `similarity` (0 to 1), `how` (`sound` or `measures`), `group` (its number); most alike first.
    groups : list of list of str
        Ids that are alike directly or by way of others, in the order of the frame.
    unread : DataFrame
        `id` and `reason` of what could not be compared.
    compared : dict of str to int
        How many takes were compared by `sound` and how many by `measures`.
    threshold : float
        From which similarity on a pair is one.
    """

    pairs: pd.DataFrame
    groups: list[list[str]]
    unread: pd.DataFrame
    compared: dict[str, int] = field(default_factory=dict)
    threshold: float = _WITHIN

    @property
    def spare(self) -> list[str]:
        """All ids of each group but the first: `df[~df.id.isin(found.spare)]` keeps one take of each."""
        return [id_ for group in self.groups for id_ in group[1:]]

    @property
    def method(self) -> str:
        """How similarity was measured, in a sentence or two."""
        told = {
            "sound": "by sound: the correlation of the waves below 1.2 kHz over the first 20 s, at the best lag within "
            "±1 s; level, encoding and small cuts do not matter",
            "measures": f"by measures: {_WITHIN} where the farthest of tempo, length, brightness, onset density and "
            "peak-to-loudness ratio is just within tolerance, and the key is the same",
        }
        said = [f"{self.compared[how]:,} {text}" for how, text in told.items() if self.compared.get(how)]
        return ". ".join(said or ["Nothing was compared"]) + "."

    @property
    def summary(self) -> str:
        """One line: `3 pair(s) in 2 group(s) among 40 take(s), from 0.95`."""
        total = sum(self.compared.values())
        left = f"; {len(self.unread):,} could not be compared" if len(self.unread) else ""
        return (
            f"{len(self.pairs):,} pair(s) in {len(self.groups):,} group(s) among {total:,} take(s), "
            f"from {self.threshold:g}{left}"
        )

    def __repr__(self) -> str:
        left = [f"{count:,} × not compared: {reason}" for reason, count in counted(self.unread["reason"])]
        return "\n  ".join([self.summary, *left, *(" = ".join(group) for group in self.groups), self.method])

    def _repr_html_(self) -> str:
        table = self.pairs.to_html(index=False, border=0, float_format="{:.3f}".format) if len(self.pairs) else ""
        left = self.unread.to_html(index=False, border=0) if len(self.unread) else ""
        return f"<div><b>{html.escape(self.summary)}</b>{table}{left}<p>{html.escape(self.method)}</p></div>"


def duplicates(tracks: Tracks, threshold: float = _WITHIN, *, client: Client | None = None) -> Duplicates:
    """Find takes that are nearly the same: made twice of one seed, encoded again, louder, or cut by some tenths.

    Parameters
    ----------
    tracks
        A frame with `id`. Where it has a column `path` (as `client.download` returns) the files are compared; where it
        has measures only (`df.ft.measure()`), those are, which is quick, and coarse: short takes of one style may
        agree in all of them. With `client` any selection.
    threshold
        From which similarity on two takes count as the same, above 0 and up to 1.
    client
        Fetches the sound of the rows that have no file.

    Returns
    -------
    Duplicates
        `.pairs`, `.groups`, `.spare`, and in `.unread` what could not be compared, with the reason.

    Raises
    ------
    ParameterError
        No frame and no client, or a threshold that is none.
    MissingExtraError
        What reads sound is not installed.

    Notes
    -----
    Two takes are compared by their sound where both have it, else by their measures where both have those: at least
    three of tempo (±1 %, half and double alike), length (±0.6 s), brightness (±2 %), onset density (±5 %) and the
    distance of peak and loudness (±0.7 dB), which unlike the loudness itself does not change with the level.
    """
    import pandas as pd

    if not _is_share(threshold):
        raise ParameterError(
            f"threshold={threshold!r} is not a number above 0 and up to 1.", parameter="threshold", value=threshold
        )
    frame = _frame(tracks, client)
    reasons: dict[str, str] = {}
    prints = dict(_prints(frame, client, reasons))
    measures = _measures(frame)
    ids = [str(id_) for id_ in frame["id"]]
    known = [id_ for id_ in ids if id_ in prints or id_ in measures]
    found = [
        (one, other, score, how)
        for one, other in combinations(known, 2)
        for score, how in [_compare(one, other, prints, measures)]
        if score >= threshold
    ]
    groups = _groups(ids, [(one, other) for one, other, *_ in found])
    number = {id_: place for place, group in enumerate(groups, 1) for id_ in group}
    rows = [(*pair, number[pair[0]]) for pair in sorted(found, key=lambda pair: -pair[2])]
    pairs = pd.DataFrame(rows, columns=["id", "other", "similarity", "how", "group"]).astype(
        {"id": "str", "other": "str", "similarity": "float64", "how": "str", "group": "int64"}
    )
    unread = [(id_, reasons.get(id_, "no sound at hand, and not measured")) for id_ in ids if id_ not in set(known)]
    compared = {"sound": len(prints), "measures": len(set(measures) - set(prints))}
    return Duplicates(pairs, groups, pd.DataFrame(unread, columns=["id", "reason"]).astype("str"), compared, threshold)


def _is_share(threshold: object) -> bool:
    return isinstance(threshold, (int, float)) and 0 < threshold <= 1


def _frame(tracks: Any, client: Client | None) -> pd.DataFrame:
    """Return a frame with one row an id."""
    import pandas as pd

    if isinstance(tracks, pd.DataFrame) and not len(tracks):
        return pd.DataFrame({"id": pd.array([], dtype="str")})
    ids = ids_of(tracks)
    if isinstance(tracks, pd.DataFrame):
        frame = tracks if "id" in tracks.columns else tracks.reset_index()
        return frame.drop_duplicates("id")
    if client is None:
        raise ParameterError(
            "Takes are compared by sound or measures, and ids alone have neither.",
            parameter="tracks",
            hint="Pass client=, or a measured frame: duplicates(df.ft.measure()).",
        )
    found = client.call(client.asynchronous.find_generations(ids))
    known = generations_frame(each for each in found if isinstance(each, Generation))
    return pd.DataFrame({"id": pd.array(ids, dtype="str")}).merge(known, on="id", how="left")


def _prints(frame: pd.DataFrame, client: Client | None, reasons: dict[str, str]) -> Iterator[tuple[str, Print]]:
    """Take the fingerprints of what has a file, and of what the client can fetch; note why others have none."""
    import pandas as pd

    paths = frame["path"] if "path" in frame.columns else [None] * len(frame)
    sources: dict[str, Any] = {}
    wanted: list[str] = []
    for id_, path in zip(frame["id"], paths, strict=True):
        if not pd.isna(path):
            sources[str(id_)] = path
        else:
            wanted.append(str(id_))
    for id_, path in sources.items():
        yield from _print(id_, path, reasons)
    if client is None:
        return
    with client.progress.counting("comparing", len(wanted), unit="track") as meter:
        done = 0
        for batch in chunks(wanted, _AHEAD):
            futures = [client.submit(client.asynchronous.audio(id_)) for id_ in batch]
            try:
                for id_, future in zip(batch, futures, strict=True):
                    try:
                        sound = future.result()
                    except FinetuningError as error:
                        reasons[id_] = error.message
                    else:
                        yield from _print(id_, sound, reasons)
                    done += 1
                    meter(done, len(wanted))
            finally:
                for future in futures:
                    future.cancel()


def _print(id_: str, source: Any, reasons: dict[str, str]) -> Iterator[tuple[str, Print]]:
    try:
        yield id_, fingerprint(read_sound(source))
    except MissingExtraError:
        raise
    except FinetuningError as error:
        reasons[id_] = error.message


def _measures(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Read what is measured of each row; one with fewer than three measures is left out."""
    import pandas as pd

    columns = {"bpm": "measured_bpm"} | {name: name for name in _TOLERANCES if name not in ("bpm", "crest")}
    columns |= {"key": "measured_key", "scale": "measured_scale", "loudness": "loudness", "true_peak": "true_peak"}
    there = {name: column for name, column in columns.items() if column in frame.columns}
    measured: dict[str, dict[str, Any]] = {}
    for id_, *values in zip(frame["id"], *(frame[column] for column in there.values()), strict=True):
        row = {name: value for name, value in zip(there, values, strict=True) if not pd.isna(value)}
        if {"loudness", "true_peak"} <= row.keys() and np.isfinite([row["loudness"], row["true_peak"]]).all():
            row["crest"] = row["true_peak"] - row["loudness"]
        if len(row.keys() & _TOLERANCES.keys()) >= _LEAST:
            measured[str(id_)] = row
    return measured


def _compare(one: str, other: str, prints: dict[str, Print], measures: dict[str, dict[str, Any]]) -> tuple[float, str]:
    if one in prints and other in prints:
        return likeness(prints[one], prints[other]), "sound"
    if one in measures and other in measures:
        return _measured_likeness(measures[one], measures[other]), "measures"
    return 0.0, ""


def _measured_likeness(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return 0.95 to the square of the farthest distance, in tolerances."""
    if any(one.get(name) != other.get(name) for name in ("key", "scale")):
        return 0.0
    shared = [name for name in _TOLERANCES if name in one and name in other]
    if len(shared) < _LEAST:
        return 0.0
    distances: NDArray[np.float64] = np.array([_distance(name, one[name], other[name]) for name in shared])
    return float(_WITHIN ** (distances.max() ** 2))


def _distance(name: str, one: float, other: float) -> float:
    if name not in _RATIOS:
        return abs(one - other) / _TOLERANCES[name]
    if min(one, other) <= 0:
        return 0.0 if one == other else np.inf
    octaves = np.log2(other / one)
    if name == "bpm":
        octaves -= np.round(octaves)
    return float(abs(2**octaves - 1) / _TOLERANCES[name])


def _groups(ids: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Join what is alike, directly or by way of others."""
    leader = {id_: id_ for id_ in ids}

    def led(id_: str) -> str:
        while leader[id_] != id_:
            id_ = leader[id_]
        return id_

    for one, other in pairs:
        leader[led(other)] = led(one)
    groups: dict[str, list[str]] = {}
    for id_ in ids:
        groups.setdefault(led(id_), []).append(id_)
    return [group for group in groups.values() if len(group) > 1]
