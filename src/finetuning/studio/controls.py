"""What is done beside the API: the web application's share, and what only a stand-in can show."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from finetuning.errors import StudioError

from . import accounts, generations, playlists
from .accounts import Account
from .backfill import backfill
from .foreman import Foreman
from .limits import TIERS, Limits
from .operations import Faults
from .process import Worker, WorkerDied
from .selection import ids_of
from .soundfonts import BUNDLED, find_font, same_font
from .store import Store

__all__ = ["Controls", "check_count", "check_soundfont", "check_tier"]

LONGEST_PAST = 3650
"""Days."""


class Controls:
    """The half of a studio that its owner works with; `Studio` is the other half."""

    _clock: Callable[[], float]
    _faults: Faults
    _foreman: Foreman
    _limits: Limits
    _pid: int
    _soundfont: str | None
    _store: Store

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise StudioError("This studio belongs to the process that forked this one.", hint="Its url works here.")

    @contextmanager
    def _as_user(self) -> Iterator[tuple[sqlite3.Connection, Account]]:
        self._check_process()
        with self._store.write() as connection:
            account = accounts.by_role(connection, "user")
            if account is None:
                raise StudioError("The studio's account has vanished from its database.")
            yield connection, account

    def create_playlist(self, name: str, public: bool = False, description: str | None = None) -> str:
        """Make an empty playlist of the user's and return its id. Two may have the same name."""
        _check_name(name)
        public = _truth("public", public)
        with self._as_user() as (connection, user):
            return playlists.create(connection, user.id, name, public, description, self._clock())

    def rename_playlist(self, playlist: str, name: str) -> None:
        """Give one of the user's playlists another name."""
        _check_name(name)
        with self._as_user() as (connection, user):
            if not playlists.rename(connection, playlist, user.id, name, self._clock()):
                raise StudioError(f"The user has no playlist with the id {playlist!r}.")

    def delete_playlist(self, playlist: str) -> None:
        """Delete one of the user's playlists; its tracks stay in the library."""
        with self._as_user() as (connection, user):
            if not playlists.delete(connection, playlist, user.id):
                raise StudioError(f"The user has no playlist with the id {playlist!r}.")

    def set_public(self, tracks: Any, public: bool = True) -> None:
        """Show or hide tracks of the user's; all of them or, on an error, none.

        Parameters
        ----------
        tracks
            An id, a record, several of either, or a table with an `id` column.
        public
            Whether they are shown. A track that is hidden leaves the public playlists that it is in.
        """
        ids = ids_of(tracks)
        public = _truth("public", public)
        with self._as_user() as (connection, user):
            for id in ids:  # noqa: A001 - the wire's name
                if not generations.set_public(connection, id, user.id, public):
                    raise StudioError(f"The user has no track with the id {id!r}.")

    def backfill(self, n: int = 300, days: float = 60, seed: int = 0) -> list[str]:
        """Give the library a past: finished generations and a few failed ones, their credits, three playlists.

        All of it is drawn, and every such row says so on the wire with `"backfilled": true`. It lies before what the
        library holds already. Nothing is rendered but what somebody listens to: the first request for a piece's sound
        waits until it is made, as its row says.

        Parameters
        ----------
        n
            Generations.
        days
            Over which they are spread, back from the first generation of the library, or from now.
        seed
            The same one gives the same past to the same library.

        Returns
        -------
        list of str
            The ids, newest first.

        Raises
        ------
        StudioError
            An argument is not understood, or a month would have spent more credits than the account has in one;
            nothing was written.
        """
        check_count("n", n)
        check_count("seed", seed)
        _check_days(days)
        with self._as_user() as (connection, user):
            return backfill(connection, user, self._limits, n, days, seed, self._clock())

    def midi(self, track: Any) -> bytes:
        """Return the score of a finished piece, given its id, record or row, as a MIDI file."""
        return bytes(self._finished(track)[1]["midi"])

    def understood(self, track: Any) -> dict[str, Any]:
        """Return what the composer read in the tags of a finished piece, and decided from them.

        Among it `soundfont`: `name` and `sha256` of what it was played with.
        """
        understood: dict[str, Any] = json.loads(self._finished(track)[1]["understood"])
        return understood

    def stems(self, track: Any) -> dict[str, bytes]:
        """Return the parts of a finished piece as sound, played anew from its score.

        They add up to the mix before it was mastered, but for rounding to sixteen bits (a difference of some -80 dBFS)
        and for notes that the whole drops where more than 64 voices sound at once. It takes half a second a part for a
        minute of music, in a process of its own: the studio goes on rendering and answering.

        Returns
        -------
        dict of str to bytes
            WAV files (48 kHz, stereo, 16 bits) by part: `drums`, `bass`, `chords`, `pad`, `arp`, `lead`, as far as the
            piece has them.

        Raises
        ------
        StudioError
            If there is no such piece, it is not finished, or the SoundFont that it was played with is not here.
        """
        row, score = self._finished(track)
        id = row["id"]  # noqa: A001 - the wire's name
        told = json.loads(score["understood"]).get("soundfont")
        if told is None:
            raise StudioError(
                f"It is not known with which SoundFont the piece {id} was played: an earlier version made it.",
                hint="Ask for it again with the same parameters and seed.",
            )
        try:
            font = same_font(told["sha256"], self._soundfont)
        except FileNotFoundError as error:
            raise StudioError(f"The piece {id} was played with {told['name']}, but {error}.") from None
        with TemporaryDirectory(prefix="stems-") as folder:
            midi = base64.b64encode(score["midi"]).decode("ascii")
            job = {"id": id, "path": folder, "brief": generations.brief(row), "score": midi}
            with closing(Worker(self._store.folder / "worker.log", soundfont=str(font.path))) as worker:
                try:
                    result = worker.perform(job)
                except WorkerDied as death:
                    raise StudioError(f"The parts of {id} could not be played: the worker died ({death}).") from None
            if "error" in result:
                raise StudioError(f"The parts of {id} could not be played: {result['error']}")
            return {name: Path(folder, f"{name}.wav").read_bytes() for name in result["stems"]}

    @property
    def soundfont(self) -> dict[str, str]:
        """The SoundFont that plays, by `name` and `sha256`; a take's bytes depend on it."""
        try:
            return find_font(self._soundfont).told()
        except (OSError, ValueError) as error:
            raise StudioError(f"The studio cannot play: {error}.") from None

    def _finished(self, track: Any) -> tuple[sqlite3.Row, sqlite3.Row]:
        """Find a finished piece: its generation, and its score."""
        self._check_process()
        ids = ids_of(track)
        if len(ids) != 1:
            raise StudioError(
                f"One piece is asked for, and {len(ids)} were given.", hint="Pass an id, a record or a row."
            )
        id = ids[0]  # noqa: A001 - the wire's name
        with self._store.read() as connection:
            score = generations.score(connection, id)
            known = generations.find(connection, id)
        if known is not None and score is not None:
            return known, score
        if known is None:
            raise StudioError(
                f"There is no piece with the id {id!r}.", hint="client.generations() lists the ids of the library."
            )
        if known["status"] == "failed":
            raise StudioError(
                f"The piece {id} has no score: it failed. {known['error_message'] or ''}".rstrip(),
                hint="Ask for it again; another seed may do.",
            )
        if known["status"] == "completed":
            raise StudioError(
                f"The piece {id} has no score yet: it is rendered when somebody first listens.",
                hint="Play or download it once.",
            )
        raise StudioError(
            f"The piece {id} has no score yet: it is {known['status']}.", hint="Wait until it is rendered (wait_idle)."
        )

    def set_tier(self, tier: str) -> None:
        """Put the user's account on another plan: `free`, `plus`, `pro` or `lifetime`."""
        check_tier(tier)
        with self._as_user() as (connection, user):
            accounts.update(connection, replace(user, tier=tier))

    def set_credits(self, credits: int, *, pack: int = 0) -> None:  # noqa: A002 - the service's word
        """Let `credits` of this month's credits remain, and `pack` bought ones besides."""
        check_count("credits", credits)
        check_count("pack", pack)
        with self._as_user() as (connection, user):
            used = accounts.balance(connection, user, self._limits, self._clock()).used
            accounts.update(connection, replace(user, monthly_credits=used + credits, pack_credits=pack))

    def set_deleted(self, deleted: bool = True) -> None:
        """Delete the user's account, or bring it back: its key answers `ACCOUNT_DELETED`."""
        with self._as_user() as (connection, user):
            accounts.update(connection, replace(user, deleted=deleted))

    def fail_next(self, code: str = "INTERNAL_ERROR", times: int = 1) -> None:
        """Let the next requests that carry the key end in `INTERNAL_ERROR` or, for creates, `GENERATION_FAILED`."""
        if code not in ("INTERNAL_ERROR", "GENERATION_FAILED"):
            raise StudioError(f"code is {code!r}.", hint="Choose INTERNAL_ERROR or GENERATION_FAILED.")
        self._faults.add(code, times)

    def fail_renders(self, message: str = "The piece could not be made.", times: int = 1) -> None:
        """Let the next pieces that this studio renders end as `failed`, with `message`."""
        self._foreman.failures.extend([message] * times)


def check_tier(tier: str) -> None:
    """Refuse what is no plan."""
    if tier not in TIERS:
        raise StudioError(f"tier is {tier!r}.", hint=f"Choose one of {', '.join(TIERS)}.")


def check_soundfont(named: Any) -> str:
    """Refuse what cannot be played with; what was named, as text."""
    try:
        find_font(named)
    except (OSError, ValueError, TypeError) as error:
        raise StudioError(
            f"soundfont is {named!r}: {error}.", hint="Give the path of an .sf2 file, or 'bundled'."
        ) from None
    return BUNDLED if named == BUNDLED else str(Path(named).expanduser().absolute())


def check_count(name: str, value: Any) -> None:
    """Refuse what is no number of things."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise StudioError(f"{name} is {value!r}.", hint="Give a whole number, 0 or more.")


def _check_days(days: Any) -> None:
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= LONGEST_PAST:
        raise StudioError(f"days is {days!r}.", hint=f"Give a number, more than 0 and at most {LONGEST_PAST:,}.")


def _truth(name: str, value: Any) -> bool:
    # NumPy's truth values are bool_ or bool, by its version.
    if not (isinstance(value, int) or type(value).__name__ in ("bool", "bool_")) or value not in (0, 1):
        raise StudioError(f"{name} is {value!r}.", hint="Say True or False.")
    return bool(value)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.strip():
        raise StudioError(f"The playlist's name is {name!r}.", hint="Give a name that is not empty.")
