"""`plan`: what a playlist should hold, as a rule or a selection, compared with what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from finetuning import errors, parameters
from finetuning.client.blocking import Client
from finetuning.client.resolving import PlaylistLike, resolve_playlist
from finetuning.frames import generations_frame
from finetuning.records import Generation, Playlist
from finetuning.selections import Tracks, ids_of

from .fates import Knowledge, held
from .joint_plans import Plans
from .plans import Plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Wish", "plan"]

if TYPE_CHECKING:
    #: A selection, or a rule: a function of the library that returns one, or a mask of it.
    Wish: TypeAlias = Tracks | Callable[[pd.DataFrame], Any]
else:
    Wish: TypeAlias = Any


@overload
def plan(
    client: Client, playlist: Mapping[Any, Wish], *, exact: bool = ..., order: bool = ..., move: bool = ...
) -> Plans: ...
@overload
def plan(client: Client, playlist: PlaylistLike, tracks: Wish, *, exact: bool = ..., order: bool = ...) -> Plan: ...
def plan(
    client: Client,
    playlist: Any,
    tracks: Any = None,
    *,
    exact: bool = False,
    order: bool = False,
    move: bool = False,
) -> Plan | Plans:
    """Plan what a playlist should hold. Nothing moves until `.apply()`.

    Parameters
    ----------
    client
        Who reads, and later does it.
    playlist
        A playlist of yours: name, id, record or row. Or several at once, a dictionary from playlist to tracks.
    tracks
        Any selection, or a rule: a function that is given the whole library, newest first, as `client.generations`
        returns it, and returns a selection or a mask, such as `lambda library: library.bpm.between(80, 100)`.
    exact
        Make the playlist hold these and nothing else. By default tracks are only added.
    order
        Make them come in the order of the selection. The API appends and has no other way to order: what does not
        stand in order is taken out and added again. By default the plan only says whether the order is the wanted one.
    move
        With several playlists: a track that goes into one of them leaves those of the others that do not want it. It
        leaves only when it has arrived.

    Returns
    -------
    Plan or Plans
        What would be added, removed, kept and refused, with the reasons; `Plans` where several were given.

    Raises
    ------
    PlaylistNotFoundError, AmbiguousPlaylistError
        No playlist, or more than one, has that name.
    SelectionError
        From a selection no ids can be read. An empty one is allowed: it is shown what that means.
    ParameterError
        The playlist is another user's, two names mean the same, or something else here makes no sense.

    Examples
    --------
    >>> plan = ft.playlists.plan(client, "Focus Beats", lambda library: library.bpm.between(80, 100))
    ... # doctest: +SKIP
    >>> plan.apply()  # doctest: +SKIP
    """
    if not hasattr(client, "asynchronous"):
        raise errors.ParameterError(
            f"A value of type {type(client).__name__} is not a blocking client.",
            parameter="client",
            value=client,
            hint="Pass what ft.connect() returned, first: plan(client, 'Focus Beats', df).",
        )
    several = isinstance(playlist, Mapping) and "id" not in playlist
    if several and tracks is not None:
        raise errors.ParameterError(
            "Tracks were given beside a dictionary of playlists.",
            parameter="tracks",
            hint="Put them into it: plan(client, {'Focus Beats': df, 'Night': other}).",
        )
    if not several and move:
        raise errors.ParameterError(
            "move=True needs several playlists, between which tracks move.",
            parameter="move",
            value=move,
            hint="Pass a dictionary: plan(client, {'Focus Beats': df, 'Night': other}, move=True).",
        )
    wishes = dict(playlist) if several else {0: tracks}
    if not wishes or any(wish is None for wish in wishes.values()):
        raise errors.ParameterError(
            "No tracks were given." if wishes else "No playlists were given.",
            parameter="tracks" if wishes else "playlist",
            hint="plan(client, 'Focus Beats', df) or plan(client, {'Focus Beats': df, 'Night': other}).",
        )
    found = [_the_playlist(client, each) for each in (wishes if several else [playlist])]
    twice = next((each for place, each in enumerate(found) if each.id in {one.id for one in found[:place]}), None)
    if twice is not None:
        raise errors.ParameterError(
            f"“{twice.name or twice.id}” was given twice.", parameter="playlist", hint="Join what it should hold."
        )
    library, wanted, repeats = _wanted(client, list(wishes.values()))
    known = _known(client, found, wanted, library, list(wishes.values()))
    plans = Plans(
        client,
        [
            Plan(client, each, ids, known, exact=exact, order=order, repeats=again)
            for each, ids, again in zip(found, wanted, repeats, strict=True)
        ],
        move=move,
    )
    return plans if several else plans[0]


def _the_playlist(client: Client, playlist: PlaylistLike) -> Playlist:
    """Read a playlist with its tracks, and make sure that it is there and ours."""
    asynchronous = client.asynchronous
    made = "Playlists are made in the web application" + (
        ", here with client.studio.create_playlist(name)." if client.studio is not None else "."
    )
    try:
        id_ = client.call(resolve_playlist(asynchronous.playlists, playlist))
        found = client.call(asynchronous.playlist(id_))
    except errors.PlaylistNotFoundError as error:
        hint = error.hint or ""
        raise errors.PlaylistNotFoundError(
            error.message, hint=hint if "web application" in hint else f"{hint} {made}".strip()
        ) from None
    except errors.NotFoundError as error:
        names = [repr(each.name) for each in client.call(asynchronous.playlists())[:5] if each.name]
        there = f"There are: {', '.join(names)}. " if names else ""
        raise errors.PlaylistNotFoundError(
            f"No playlist has the id {parameters.shown(playlist)}.", hint=f"{there}{made}"
        ) from error
    if found.is_owner is False:
        raise errors.ParameterError(
            f"“{found.name or found.id}” is another user's playlist; only its owner changes it.",
            parameter="playlist",
            value=playlist,
        )
    return found


def _wanted(client: Client, wishes: Sequence[Any]) -> tuple[dict[str, Generation] | None, list[list[str]], list[int]]:
    """Return the library by id where a rule needed it, the ids that each wish names, and how many rows repeat one."""
    library: dict[str, Generation] | None = None
    wanted: list[list[str]] = []
    repeats: list[int] = []
    for wish in wishes:
        if callable(wish):
            if library is None:
                with client.progress.counting("generations", None, unit="row") as meter:
                    records = client.call(client.asynchronous.generations(limit=None, progress=meter), meter)
                library = {record.id: record for record in records}
            wish = _by_rule(wish, generations_frame(library.values()))
        rows = _rows(wish)
        ids = [] if rows == 0 else ids_of(wish)
        wanted.append(ids)
        repeats.append(rows - len(ids) if rows else 0)
    return library, wanted, repeats


def _by_rule(rule: Callable[[pd.DataFrame], Any], library: pd.DataFrame) -> Any:
    chosen = rule(library)
    if getattr(chosen, "ndim", 0) == 1 and str(getattr(chosen, "dtype", "")) in ("bool", "boolean"):
        if len(chosen) != len(library):
            raise errors.SelectionError(
                f"The rule returned a mask of {len(chosen):,} rows for a library of {len(library):,}.",
                hint="Return a mask of the frame that it is given, or rows of it.",
            )
        return library[chosen.fillna(False) if hasattr(chosen, "fillna") else chosen]
    if chosen is None:
        raise errors.SelectionError(
            "The rule returned nothing.", hint="Return rows of the library: lambda library: library[library.bpm < 90]."
        )
    return chosen


def _rows(wish: Any) -> int | None:
    """Count the rows of what has rows; a Series may be one row, and counts for none that is repeated."""
    if getattr(wish, "ndim", None) == 2 or isinstance(wish, list):
        return len(wish)
    return 0 if getattr(wish, "ndim", None) == 1 and not len(wish) else None


def _known(
    client: Client,
    playlists: Sequence[Playlist],
    wanted: Sequence[Sequence[str]],
    library: dict[str, Generation] | None,
    wishes: Sequence[Any],
) -> Knowledge:
    """Look up what is not in its playlist already; what a rule chose was read with the library."""
    elsewhere = {track.id: track for each in playlists for track in each.tracks or []}
    inside = [set(held(each)) for each in playlists]
    new = dict.fromkeys(id_ for there, ids in zip(inside, wanted, strict=True) for id_ in ids if id_ not in there)
    # A private playlist holds its owner's tracks only: whose these are need not be asked.
    found = {track.id: track for each in playlists if each.is_public is False for track in each.tracks or []}
    found |= library or {}
    new = {id_: None for id_ in new if id_ not in found}
    unreadable: dict[str, str] = {}
    if library is None and new:
        with client.progress.saying("looking tracks up") as meter:
            records = client.call(client.asynchronous.find_generations(list(new)), meter)
        for id_, record in zip(new, records, strict=True):
            if isinstance(record, Generation):
                found[id_] = record
            elif isinstance(record, errors.ParameterError):
                unreadable[id_] = record.message
            elif not isinstance(record, errors.NotFoundError):
                raise record
    return Knowledge(found, elsewhere, _said_public(wishes), unreadable, _titles(wishes))


def _titles(wishes: Sequence[Any]) -> dict[str, str]:
    titles: dict[str, str] = {}
    for wish in wishes:
        if getattr(wish, "ndim", None) == 2 and {"id", "title"} <= set(wish.columns):
            named = wish.dropna(subset=["id", "title"])
            titles |= dict(zip(named["id"].astype(str), named["title"].astype(str), strict=True))
    return titles


def _said_public(wishes: Sequence[Any]) -> set[str]:
    """Return the ids that a frame among the selections says are public; they may be another user's."""
    public: set[str] = set()
    for wish in wishes:
        if getattr(wish, "ndim", None) == 2 and {"id", "is_public"} <= set(wish.columns):
            public |= set(wish.loc[wish["is_public"].astype("boolean").fillna(False), "id"])
    return public
