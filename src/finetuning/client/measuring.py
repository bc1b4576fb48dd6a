"""Measurements of tracks, beside what was asked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from finetuning.errors import FinetuningError

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.audio.measurement import Measurement

__all__ = ["MEASURED_COLUMNS", "measured_frame", "tempo_asked"]

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
        With the columns of `MEASURED_COLUMNS` (bpm, LUFS, dBTP, seconds; confidences 0 to 1) and `measure_error`,
        which says why a row has no measures.
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
    return beside.join(measured, on="id")


def tempo_asked(tracks: Any) -> dict[str, float]:
    """Read the tempo that was asked for out of a frame with `id` and `bpm`, to tell half and double tempo apart."""
    import pandas as pd

    if not (isinstance(tracks, pd.DataFrame) and {"id", "bpm"} <= set(tracks.columns)):
        return {}
    pairs = zip(tracks["id"], tracks["bpm"], strict=True)
    return {str(id_): float(bpm) for id_, bpm in pairs if bpm is not None and not pd.isna(bpm) and math.isfinite(bpm)}
