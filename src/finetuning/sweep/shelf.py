"""All runs of this user, by their journals."""

from __future__ import annotations

import difflib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetuning.errors import JournalError, ParameterError, SweepWarning
from finetuning.notices import warn

from .ledger import Ledger
from .names import folder, slug
from .state import State

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["known_ids", "runs_frame", "unknown"]


def runs_frame() -> pd.DataFrame:
    """Put all runs into a DataFrame, the newest first; see `SweepRun.list`."""
    import pandas as pd

    runs = sorted(_states(), key=lambda run: run[1].began.at, reverse=True)
    states = [state for _, state in runs]
    left = [len(state.points("waiting", "sent", "lost", "generating")) for state in states]
    columns: dict[str, Any] = {
        "name": pd.array([name for name, _ in runs], dtype="str"),
        "tags": pd.array([state.began.plan.title for state in states], dtype="str"),
        "points": pd.array([len(state.cells) for state in states], dtype="int64"),
    }
    for kind in ("completed", "failed", "refused", "uncertain"):
        columns[kind] = pd.array([state.counts.get(kind, 0) for state in states], dtype="int64")
    columns["left"] = pd.array(left, dtype="int64")
    columns["done"] = pd.array([not count for count in left], dtype="bool")
    columns["created_at"] = pd.to_datetime([state.began.at for state in states], utc=True).as_unit("ns")
    columns["updated_at"] = pd.to_datetime([state.updated_at for state in states], utc=True).as_unit("ns")
    return pd.DataFrame(columns)


def unknown(name: str) -> ParameterError:
    """Refuse the name of a run that is not there, and name those that are nearest."""
    names = [path.stem for path in sorted(folder().glob("*.jsonl"))]
    near = ", ".join(map(repr, difflib.get_close_matches(slug(name), names, n=3) or names[-5:]))
    return ParameterError(
        f"There is no run named {name!r}.",
        parameter="name",
        value=name,
        hint=f"There are: {near}; ft.SweepRun.list() shows all." if near else "There are none yet.",
    )


def known_ids(*, but: Path) -> set[str]:
    """Return the ids of all generations of other runs than this file's; a journal that cannot be read has none."""
    found: set[str] = set()
    for path in folder().glob("*.jsonl"):
        if path != but:
            with suppress(JournalError, FileNotFoundError):
                cells = Ledger(path).state.cells
                found.update(cell.generation.id for cell in cells if cell.generation is not None)
    return found


def _states() -> list[tuple[str, State]]:
    found: list[tuple[str, State]] = []
    for path in sorted(folder().glob("*.jsonl")):
        try:
            found.append((path.stem, Ledger(path).state))
        except FileNotFoundError:
            pass  # removed meanwhile
        except JournalError as problem:
            warn(SweepWarning(f"A run is left out of the list: {problem.message}"))
    return found
