"""Measurements of tracks, beside what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from finetuning.errors import FinetuningError
from finetuning.selections import Tracks, ids_of

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.audio.measurement import Measurement

__all__ = ["MEASURED_COLUMNS", "ids_to_measure", "measured_frame", "tempo_asked"]

#: Column: the measure that it holds. Tempo and key have names of their own beside what was requested.
MEASURED_COLUMNS: dict[str, str] = {
    "measured_bpm": "tempo",
    "bpm_confidence": "tempo_confidence",
    "measured_key": "key",
    "measured_scale": "scale",
    "key_confidence": "key_confidence",
    "loudness": "loudness",
    "true_peak": "true_peak",
    "measured_duration": "duration",
    "leading_silence": "leading_silence",
    "trailing_silence": "trailing_silence",
    "brightness": "brightness",
    "onset_density": "onset_density",
    "clipping": "clipping",
    "heard_bpm": "tempo_heard",
}
_TEXT = ("measured_key", "measured_scale")


def measured_frame(tracks: Any, ids: list[str], results: list[Measurement | FinetuningError]) -> pd.DataFrame:
    """Put measurements beside the rows that they belong to.

    Parameters
    ----------
    tracks
        The selection; of a DataFrame each row is kept (ids in its index become a column), whatever else it is gives
        `id` alone.
    ids, results
        Which track was measured, and what came of it.

    Returns
    -------
    DataFrame
        With the columns of `MEASURED_COLUMNS` (bpm, LUFS, dBTP, seconds, Hz, onsets a second; confidences and the
        share that clips 0 to 1) and `measure_error`, which says why a row has no measures.
    """
    import pandas as pd

    rows: dict[str, dict[str, Any]] = {}
    for id_, result in zip(ids, results, strict=True):
        if isinstance(result, FinetuningError):
            rows[id_] = {"measure_error": result.message}
        else:
            rows[id_] = {column: getattr(result, measure) for column, measure in MEASURED_COLUMNS.items()}
    columns = [*MEASURED_COLUMNS, "measure_error"]
    dtypes = {name: "str" if name in (*_TEXT, "measure_error") else "float64" for name in columns}
    measured = pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(dtypes)
    if isinstance(tracks, pd.DataFrame) and "id" in tracks.columns:
        beside = tracks.drop(columns=columns, errors="ignore")
    elif isinstance(tracks, pd.DataFrame) and "id" in tracks.index.names:
        beside = tracks.drop(columns=columns, errors="ignore").reset_index()
    else:
        beside = pd.DataFrame({"id": pd.array(ids, dtype="str")})
    frame = beside.join(measured, on="id")
    unmade = _without_id(frame["id"])
    if unmade.any():
        reasons = frame["error_message"] if "error_message" in frame else [None] * len(frame)
        said = [f"There is no take: {reason}" if isinstance(reason, str) else "There is no take." for reason in reasons]
        frame["measure_error"] = frame["measure_error"].where(~unmade, pd.Series(said, index=frame.index, dtype="str"))
    return frame


def ids_to_measure(tracks: Tracks) -> list[str]:
    """Read the ids of a selection; rows of a frame that have none, such as points not made yet, are passed over.

    Raises
    ------
    SelectionError
        There are no rows, no `id` column, or ids that are no text.
    """
    import pandas as pd

    if isinstance(tracks, pd.DataFrame) and len(tracks) and "id" in tracks.columns:
        unmade = _without_id(tracks["id"])
        return [] if unmade.all() else ids_of(tracks[~unmade])
    return ids_of(tracks)


def tempo_asked(tracks: Any) -> dict[str, float]:
    """Read the tempo that was asked for out of a frame with `id` and `bpm`, to tell half and double tempo apart."""
    import pandas as pd

    if not (isinstance(tracks, pd.DataFrame) and {"id", "bpm"} <= set(tracks.columns)):
        return {}
    asked = pd.to_numeric(tracks["bpm"], errors="coerce").astype("float64")
    pairs = zip(tracks["id"], asked, strict=True)
    return {str(id_): bpm for id_, bpm in pairs if 0 < bpm < float("inf")}


def _without_id(ids: pd.Series[Any]) -> pd.Series[bool]:
    missing: pd.Series[bool] = ids.isna()
    return missing
