"""What credits went on, and when they run out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from finetuning.charts.projection import FARTHEST, days_until, paths
from finetuning.charts.reading import Rows, moments_of, numbers_of, plural, table_of
from finetuning.charts.style import COLOURS, beside, dated, finish, ink, nothing, two_axes, whole
from finetuning.errors import ParameterError

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["credit_use"]

_DAY: Final = np.timedelta64(1, "D")
_RECENT: Final = 28  # days that the projection rests on: four weeks hold each weekday as often
_SNAPSHOT: Final = ("at", "monthly_remaining", "pack_credits")


class _Left(NamedTuple):
    """What an account may still spend, at a moment."""

    monthly: float
    packs: float
    at: np.datetime64

    @property
    def total(self) -> float:
        return self.monthly + self.packs


def credit_use(
    df: Any,
    account: Any = None,
    *,
    snapshots: pd.DataFrame | None = None,
    now: datetime | None = None,
    ax: Axes | None = None,
) -> tuple[Axes, Axes]:
    """Draw the credits used, in all and each day, and project when those that are left run out.

    Parameters
    ----------
    df
        A generations frame with `created_at`, or a run: each generation cost one credit, a failed one too. What was
        deleted since is no longer in the library, and not in the frame.
    account
        `client.me()`; or the frame of account snapshots, as for `snapshots`. Without either nothing is projected.
    snapshots
        Frame of account snapshots: `at` (UTC), `monthly_remaining`, `pack_credits`. The last is what is left; the
        ones before it show where the allowance was renewed or packs were bought.
    now
        Where the projection begins; by default the present moment, or that of the last snapshot if no account is
        given. Without a zone: UTC.
    ax
        Where to draw; it is divided in two.

    Returns
    -------
    tuple of two Axes
        Credits in all, with what is at hand (monthly allowance and packs apart) and the projection; credits a day.
        The projection draws from the last 28 whole days by the Bayesian bootstrap (D. B. Rubin, 1981): the line is
        the median, the band and the dates in the caption hold 80 % of what was drawn. It knows of no renewal: where
        the allowance is renewed before that date, credits last longer.

    Raises
    ------
    ParameterError
        A column is missing, or `account` is neither an account nor a frame.
    """
    if isinstance(account, pd.DataFrame):
        snapshots, account = account, None
    rows = Rows(df, ("created_at",))
    rows.drop_timeless("created_at")
    moments = np.sort(rows.moments("created_at"))
    history = _history(snapshots)
    left = _left(account, history, now)
    upper, lower = two_axes(ax, (2.2, 1), size=(7.0, 5.6))
    title = "Credits used"
    until = max(
        [moment for moment in (moments[-1] if len(moments) else None, left and left.at) if moment is not None],
        default=None,
    )
    if until is None or (not len(moments) and not history):
        nothing(upper, f"no generation with created_at; {rows.reason}")
        nothing(lower, "no generation.")
        finish(lower, "", "day (UTC)", "credits a day")
        return finish(upper, title, "", "credits in all", [*_standing(left), *rows.notes]), lower
    first = min([moments[0]] if len(moments) else [history[0].at])
    days, daily = _daily(moments, first, until)
    _draw_daily(lower, days, daily)
    steps = np.concatenate([[first], moments, [until]])
    used = np.concatenate([[0], np.arange(1, len(moments) + 1), [len(moments)]])
    upper.plot(steps, used, drawstyle="steps-post", color=COLOURS[0], linewidth=2, label="used")
    notes = [f"{plural(len(moments), 'credit')} used in {plural(len(daily), 'day')}."]
    if len(history) > 1:
        _draw_history(upper, history, moments)
    if left is not None:
        notes += _standing(left)
        notes += _project(upper, left, days, daily, len(moments))
    upper.set_ylim(bottom=0)
    beside(upper)  # within, it would lie upon the projection where much more is left than is used
    dated(lower)
    upper.tick_params(axis="x", labelbottom=False)
    finish(lower, "", "day (UTC)", "credits a day")
    return finish(upper, title, "", "credits in all", [*notes, *rows.notes]), lower


def _daily(
    moments: NDArray[np.datetime64], first: np.datetime64, until: np.datetime64
) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    start, end = first.astype("datetime64[D]"), until.astype("datetime64[D]")
    place = (moments.astype("datetime64[D]") - start).astype(np.int64)
    number = int((end - start).astype(np.int64)) + 1
    days = start + np.arange(number)
    return days, np.bincount(place, minlength=number).astype(np.float64)


def _draw_daily(ax: Axes, days: NDArray[np.datetime64], daily: NDArray[np.float64]) -> None:
    from matplotlib.dates import date2num

    edges = date2num(np.append(days, days[-1] + _DAY).astype("datetime64[s]"))  # type: ignore[no-untyped-call]  # matplotlib leaves it untyped
    ax.stairs(daily, edges, fill=True, color=COLOURS[0], alpha=0.9)
    ax.xaxis_date()
    ax.set_ylim(0, max(1.0, 1.1 * float(daily.max())))
    whole(ax.yaxis)


def _draw_history(ax: Axes, history: list[_Left], moments: NDArray[np.datetime64]) -> None:
    """Show what was used and at hand together at each snapshot: it rises where credits were renewed or bought."""
    at = np.array([each.at for each in history])
    sums = np.searchsorted(moments, at, side="right") + np.array([each.total for each in history])
    ax.plot(at, sums, drawstyle="steps-post", color=ink(), linewidth=1.2, label="used and left, as it was")


def _project(ax: Axes, left: _Left, days: NDArray[np.datetime64], daily: NDArray[np.float64], used: int) -> list[str]:
    """Draw what is at hand and the projection, and say when it ends."""
    today = left.at.astype("datetime64[D]")
    whole = daily[days < today]
    basis = whole[-_RECENT:] if len(whole) >= 3 else daily[-_RECENT:]
    # Not only the caption: whoever copies the picture wants to read the ceilings in it.
    ax.axhline(used + left.monthly, color=COLOURS[2], linestyle="--", linewidth=1.5, label="monthly allowance used up")
    if left.packs:
        ax.axhline(used + left.total, color=COLOURS[3], linestyle=":", linewidth=2, label="packs used up too")
    ways = paths(basis, left.total)
    if not ways.shape[1]:
        return ["None were used lately: at this rate they last for ever."]
    said = [
        f"{name.capitalize()} run out {_when(days_until(ways, amount), left.at)}."
        for name, amount in (("monthly credits", left.monthly), ("all, packs included,", left.total))
        if amount > 0 and (name == "monthly credits" or left.packs)
    ]
    until = np.quantile(days_until(ways, left.total), 0.9, method="inverted_cdf")
    shown = int(min(ways.shape[1], until if np.isfinite(until) else FARTHEST, max(60, 3 * len(daily))))
    low, middle, high = np.quantile(ways[:, :shown], (0.1, 0.5, 0.9), axis=0)
    ahead = left.at + np.arange(shown + 1) * _DAY.astype("timedelta64[us]")
    grown = [used + np.concatenate([[0], part]) for part in (low, middle, high)]
    ax.plot(ahead, grown[1], "-.", color=COLOURS[1], linewidth=1.5, label="projection (80 %)")
    ax.fill_between(ahead, grown[0], grown[2], color=COLOURS[1], alpha=0.25, linewidth=0)
    ax.axvline(ahead[0], color=ink(), linewidth=0.8, alpha=0.6)
    ax.set_ylim(top=1.12 * max(used + left.total, 1))
    few = " Too few days to rely on." if len(basis) < 7 else ""
    return [*said, f"From {plural(len(basis), 'day')} of use; no renewal foreseen.{few}"]


def _when(days: NDArray[np.float64], now: np.datetime64) -> str:
    low, middle, high = (np.quantile(days, share, method="inverted_cdf") for share in (0.1, 0.5, 0.9))
    if not np.isfinite(middle):
        return "in more than ten years"
    early, about, late = (_date(now, each) for each in (low, middle, high))
    return f"about {about} (80 %: {early} to {late})" if early != late else f"about {about}"


def _date(now: np.datetime64, days: float) -> str:
    if not np.isfinite(days):
        return "ten years on"
    # A credit that is used within the n-th day from now is used by the end of the n-th.
    return pd.Timestamp(now + np.timedelta64(int(np.ceil(days)), "D")).strftime("%-d %b %Y")


def _standing(left: _Left | None) -> list[str]:
    if left is None:
        return []
    return [f"Left: {left.monthly:,.0f} of the monthly allowance, {left.packs:,.0f} in packs."]


def _history(snapshots: pd.DataFrame | None) -> list[_Left]:
    """Read snapshots in order of time; those without a time or amounts tell nothing."""
    if snapshots is None:
        return []
    frame = table_of(snapshots, "snapshots")
    missing = [name for name in _SNAPSHOT if name not in frame.columns]
    if missing:
        raise ParameterError(
            f"The snapshots have no column {' and no column '.join(map(repr, missing))}.",
            parameter=missing[0],
            hint="Pass the account snapshots of the local library, or client.me() as account=.",
        )
    at = moments_of(frame["at"])
    monthly, packs = numbers_of(frame["monthly_remaining"]), numbers_of(frame["pack_credits"])
    if "total_remaining" in frame.columns:  # an older service told the sum alone
        monthly = np.where(np.isnan(monthly), numbers_of(frame["total_remaining"]) - np.nan_to_num(packs), monthly)
    known = ~np.isnat(at) & ~np.isnan(monthly)
    order = np.flatnonzero(known)[np.argsort(at[known], kind="stable")]
    packs = np.nan_to_num(packs)
    return [_Left(max(0.0, float(monthly[each])), max(0.0, float(packs[each])), at[each]) for each in order]


def _left(account: Any, history: list[_Left], now: datetime | None) -> _Left | None:
    moment = None if now is None else moments_of(pd.Series([now], dtype=object))[0]
    if account is None:
        return history[-1]._replace(at=history[-1].at if moment is None else moment) if history else None
    limits = getattr(account, "limits", None)
    if limits is None:
        raise ParameterError(
            f"account is a {type(account).__name__}, neither an account nor a frame of its snapshots.",
            parameter="account",
            hint="Pass client.me().",
        )
    packs = limits.pack_credits or 0
    monthly = limits.monthly_remaining
    if monthly is None:  # an older service told the sum alone
        if limits.total_remaining is None:
            return None
        monthly = limits.total_remaining - packs
    if moment is None:
        moment = np.datetime64(pd.Timestamp.now("UTC").tz_localize(None).to_pydatetime(), "us")
    return _Left(max(0.0, float(monthly)), max(0.0, float(packs)), moment)
