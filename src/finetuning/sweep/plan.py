"""`Sweep`: what is to be made, and what it costs, before anything is sent."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from finetuning.errors import ParameterError

from .axes import Axis, read_axis, warn_of_clamping
from .combining import expand
from .counts import replicates_axis, seeds_axis
from .points import COLUMNS, Plan, points_frame

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.client.blocking import Client

    from .following import Told
    from .run import SweepRun

__all__ = ["Sweep", "seeds_axis", "warn_of_clamping"]


class Sweep:
    """Takes that differ in what you choose: every combination of the axes, one credit each.

    Any parameter but the webhook may be an axis: a list, tuple, range, array, Series or Index, or text such as
    `"80, 90, ..., 140"` or `"C, D, ..., A#"` (which steps in semitones).

    Parameters
    ----------
    tags
        What the music should be, 1 to 700 characters; a list is an axis.
    energy
        `low`, `medium`, `high` or another short word. The service has no field for it, so it is said in the tags,
        which must stay within 700 characters.
    bpm
        Beats a minute, whole; outside 60–200 the service clamps.
    key, scale, time_signature, language, lyrics
        As for `Client.generate`.
    duration
        Seconds, whole; outside 5–210 the service clamps.
    seed
        How many seeds to draw, each for every combination, so that takes pair up; or the seeds themselves, as a
        list. By default one is drawn. They are fixed from here on.
    replicate
        How many times to make each point, on purpose: the same in all parameters, and a credit each.
    webhook
        URL that the service calls at the end of each generation.
    where
        Keeps the points for which it holds: a function of a point (`lambda p: p.bpm < 120 or p.key == "C"`) or a
        query as for `DataFrame.query` (`"bpm < 120 or key == 'C'"`).
    random_state
        Makes the drawn seeds reproducible: an int or a NumPy generator. More seeds of one state begin with the
        same ones.

    Raises
    ------
    ParameterError
        A value that the service would refuse, more than 10,000 points, or none.

    Warns
    -----
    ClampedWarning
        Tempi or durations that the service will move into its range.
    SweepWarning
        An axis that names a value twice.

    Examples
    --------
    >>> sweep = Sweep("lofi chill piano", bpm=[80, 90], key=["C", "A"], seed=3, duration=20)
    >>> sweep
    Sweep('lofi chill piano': 12 points = 2 bpm × 2 key × 3 seed, 12 credits)
    """

    def __init__(
        self,
        tags: str | Sequence[str],
        *,
        energy: Any = None,
        bpm: Any = None,
        key: Any = None,
        scale: Any = None,
        time_signature: Any = None,
        duration: Any = None,
        language: Any = None,
        lyrics: Any = None,
        seed: Any = None,
        replicate: Any = None,
        webhook: str | None = None,
        where: str | Callable[[Any], Any] | None = None,
        random_state: Any = None,
    ) -> None:
        given = {
            "tags": tags,
            "energy": energy,
            "bpm": bpm,
            "key": key,
            "scale": scale,
            "time_signature": time_signature,
            "duration": duration,
            "language": language,
            "lyrics": lyrics or None if isinstance(lyrics, str) else lyrics,
        }
        axes = [read_axis(name, value) for name, value in given.items() if value is not None or name == "tags"]
        axes.append(seeds_axis(seed, random_state))
        if replicate is not None:
            axes.append(replicates_axis(replicate))
        if webhook is not None:
            axes.append(Axis("webhook", (_one_webhook(webhook),), swept=False))
        for axis in axes:
            warn_of_clamping(axis)
        self._plan = expand(axes, where)
        for point in range(len(self._plan)):
            self._plan.body(point, local=True)

    @property
    def plan(self) -> Plan:
        """The points as they are journaled and sent."""
        return self._plan

    @property
    def points(self) -> pd.DataFrame:
        """One row a point: tags and every parameter that is set, seeds included; the index is named `point`."""
        return points_frame([self._plan.values(point) for point in range(len(self._plan))])

    @property
    def axes(self) -> dict[str, list[Any]]:
        """The values of each axis, by name, the slowest first."""
        return {name: list(values) for name, values in self._plan.axes.items()}

    @property
    def cost(self) -> int:
        """Credits: one a point."""
        return len(self._plan)

    def __len__(self) -> int:
        return len(self._plan)

    @property
    def summary(self) -> str:
        """One line: `12 points = 2 bpm × 2 key × 3 seed, 12 credits`."""
        return f"{self._plan.formula}, {self.cost:,} credit{'' if self.cost == 1 else 's'}"

    def __repr__(self) -> str:
        tags = self._plan.fixed.get("tags")
        return f"Sweep({_short(tags)!r}: {self.summary})" if tags else f"Sweep({self.summary})"

    def _repr_html_(self) -> str:
        rows = [*self._plan.axes.items(), *((name, [value]) for name, value in self._plan.fixed.items())]
        cells = "".join(
            f'<tr><th style="text-align: left">{html.escape(name)}</th>'
            f'<td style="text-align: left">{html.escape(_listed(values))}</td></tr>'
            for name, values in sorted(rows, key=lambda row: list(COLUMNS).index(row[0]))
        )
        return f"<div><b>{html.escape(self.summary)}</b><table>{cells}</table></div>"

    def run_on(
        self,
        client: Client,
        *,
        name: str | None = None,
        wait: bool = True,
        at_once: int | None = None,
        max_credits: int | None = None,
        receiver: Told | None = None,
    ) -> SweepRun:
        """Run on a client; `client.run(sweep)` is the usual way. See `SweepRun.start`."""
        from .run import SweepRun

        return SweepRun.start(
            self._plan, client, name=name, wait=wait, at_once=at_once, max_credits=max_credits, receiver=receiver
        )


def _one_webhook(webhook: object) -> Any:
    if not isinstance(webhook, str):
        raise ParameterError("webhook is one URL, for all points.", parameter="webhook")
    return read_axis("webhook", [webhook]).values[0]


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39].rstrip() + "…"


def _listed(values: list[Any]) -> str:
    shown = ", ".join(map(str, values[:12]))
    return f"{shown}, … ({len(values):,})" if len(values) > 12 else shown
