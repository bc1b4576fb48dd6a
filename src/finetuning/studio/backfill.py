"""A made-up past: generations, credits and playlists of weeks that nobody spent, marked as such.

Charts and curation want a library of some hundreds, which nobody wants to wait for. Parameters, titles and times are
drawn; the music is real, rendered when somebody first listens.
"""

from __future__ import annotations

import math
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from finetuning.errors import StudioError
from finetuning.records import KEYS

from . import accounts, playlists
from .accounts import Account
from .limits import Limits, month

__all__ = ["Past", "backfill", "history"]

DAY = 86400.0
RECENT = 3600.0
"""Seconds before the end of the history in which no session begins, so that all of it is finished by then."""
PROMPTS = (
    ("lofi chill piano with rain on the window", (70, 92), (60, 120)),
    ("warm lofi beat, mellow keys, vinyl crackle", (72, 90), (60, 120)),
    ("driving synthwave with an arpeggio bass", (100, 128), (90, 210)),
    ("dark techno, hypnotic and minimal", (122, 138), (120, 210)),
    ("calm ambient pads for deep focus", (60, 80), (120, 210)),
    ("upbeat pop with bright guitars", (104, 126), (30, 150)),
    ("smoky jazz trio, brushes and upright bass", (80, 150), (60, 180)),
    ("gentle waltz for strings and piano", (84, 108), (30, 90)),
    ("cinematic orchestral build with big drums", (70, 110), (30, 120)),
    ("acoustic folk, fingerpicked guitar", (80, 116), (45, 150)),
    ("bossa nova with soft nylon guitar", (110, 140), (45, 120)),
    ("energetic drum and bass, liquid and melodic", (168, 178), (60, 180)),
)
"""Tags, and the ranges of tempo (beats a minute) and duration (s) that go with them."""
LISTS = (
    ("Focus Beats", ("lofi", "ambient"), False),
    ("Night Drive", ("synthwave", "techno", "drum and bass"), True),
    ("Sunday Morning", ("jazz", "folk", "bossa", "waltz"), False),
)
"""Playlists: name, words of the tags that belong there, public."""
REASONS = (
    "The piece was not finished in time.",
    "The model stopped in the middle of the piece.",
    "There was no capacity for this piece.",
)
#: How busy each hour of a day in UTC is, from 0; evenings are.
HOURS = (3, 2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 8, 9, 10, 10, 9, 10, 13, 17, 20, 18, 12, 6)
#: How busy each day of a week is, Monday first.
WEEK = (8, 8, 9, 9, 10, 14, 13)


@dataclass(frozen=True)
class Past:
    """One generation that never was; times are seconds since the epoch, lengths seconds."""

    id: str
    title: str
    tags: str
    bpm: int
    duration: float
    key: str
    scale: str
    time_signature: int
    seed: int
    created_at: float
    completed_at: float
    generation_time: float
    error: str | None
    public: bool
    plays: int
    likes: int
    downloads: int


def history(count: int, days: float, until: float, seed: str) -> list[Past]:
    """Draw a past of sessions: a prompt at a time, a few takes of it, at hours at which people are awake.

    Parameters
    ----------
    count
        Generations.
    days
        Over which they are spread.
    until
        The end of the last day, in seconds since the epoch; all is finished by then.
    seed
        The same one draws the same past.

    Returns
    -------
    list of Past
        Oldest first. The generation time grows with the duration and with the hour's load, times a log-normal factor.
    """
    found: list[Past] = []
    session = 0
    while len(found) < count:
        # When it was is drawn apart from what was asked for, which is so the same on every day.
        source, moments = random.Random(f"{seed}/{session}"), random.Random(f"{seed}/{session}/start")
        takes = min(source.randint(1, 9), count - len(found))
        found += _session(source, moments, takes, _start(moments, days, until), until)
        session += 1
    return sorted(found, key=lambda each: each.created_at)


def _start(source: random.Random, days: float, until: float) -> float:
    while True:
        start = until - RECENT - source.random() * max(days * DAY - RECENT, 1.0)
        if source.random() < _load(start):
            return start


def _load(moment: float) -> float:
    """How busy a moment is, from 0 to 1."""
    at = datetime.fromtimestamp(moment, UTC)
    return HOURS[at.hour] / max(HOURS) * WEEK[at.weekday()] / max(WEEK)


def _session(source: random.Random, moments: random.Random, takes: int, start: float, until: float) -> list[Past]:
    """Draw what is asked for from one source, and what becomes of it, which hangs on the hour, from the other."""
    # Imported at first use: the composer's words bring numpy, which a studio that only serves has no use for.
    from .music import choose_key, title_for

    tags, tempi, lengths = source.choice(PROMPTS)
    bpm, duration = source.randint(*tempi), float(source.randrange(lengths[0], lengths[1] + 1, 15))
    metre = 3 if "waltz" in tags else source.choices((4, 3, 6, 5), (88, 5, 5, 2))[0]
    varied = source.choice(("seed", "bpm", "key", "duration"))
    found = []
    created = start
    for _ in range(takes):
        number = source.getrandbits(31)
        key, scale = choose_key(tags, number)
        if varied == "bpm":
            bpm = source.randint(*tempi)
        elif varied == "key":
            key = source.choice(KEYS)
        elif varied == "duration":
            duration = float(source.randrange(lengths[0], lengths[1] + 1, 15))
        load = _load(created)
        seconds = (7.0 + 0.4 * duration) * (1 + 0.5 * load) * moments.lognormvariate(0, 0.2)
        failed = moments.random() < 0.02 + 0.04 * load
        heard = not failed and moments.random() < 0.6
        public = heard and moments.random() < 0.35
        plays = _some(moments, 12 if public else 2) if heard else 0
        found.append(
            Past(
                id=str(UUID(int=source.getrandbits(128), version=4)),
                title=title_for(tags, number),
                tags=tags,
                bpm=bpm,
                duration=duration,
                key=key,
                scale=scale,
                time_signature=metre,
                seed=number,
                created_at=created,
                completed_at=min(created + moments.uniform(0.3, 2 + 20 * load) + seconds, until),
                generation_time=round(seconds, 3),
                error=moments.choice(REASONS) if failed else None,
                public=public,
                plays=plays,
                likes=sum(moments.random() < 0.15 for _ in range(plays)) if public else 0,
                downloads=sum(moments.random() < 0.3 for _ in range(min(plays, 4))),
            )
        )
        created += moments.uniform(6, 90)
    return found


def _some(source: random.Random, mean: float) -> int:
    """Draw a count with a long tail."""
    return math.floor(source.expovariate(1 / (mean + 0.5)))


def backfill(
    connection: sqlite3.Connection, user: Account, limits: Limits, count: int, days: float, seed: int, now: float
) -> list[str]:
    """Put a made-up past before what the account's library holds, and charge its credits to the months it lies in.

    Returns
    -------
    list of str
        The ids, newest first.

    Raises
    ------
    StudioError
        A month would have spent more credits than the account has in one; nothing was written.
    """
    first, before, lowest = connection.execute(
        """SELECT min(created_at) FILTER (WHERE account_id = ?), count(*) FILTER (WHERE backfilled), min(seq)
            FROM generations""",
        (user.id,),
    ).fetchone()
    past = history(count, days, now if first is None else min(first, now), f"{seed}/{before}")
    _charge(connection, user, limits, past, now)
    # A listing goes by `seq`: what is older must stand before what is there already.
    start = (1 if lowest is None else lowest) - len(past)
    connection.executemany(
        """INSERT INTO generations (seq, id, account_id, title, tags, bpm, requested_duration, key, scale,
            time_signature, seed, status, is_public, play_count, like_count, download_count, duration, generation_time,
            error_message, created_at, completed_at, backfilled)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)""",
        [
            (
                start + number, each.id, user.id, each.title, each.tags, each.bpm, each.duration, each.key, each.scale,
                each.time_signature, each.seed, "failed" if each.error else "completed", each.public, each.plays,
                each.likes, each.downloads, None if each.error else each.duration, each.generation_time, each.error,
                each.created_at, each.completed_at,
            )
            for number, each in enumerate(past)
        ],
    )  # fmt: skip
    _collect(connection, user, past)
    return [each.id for each in reversed(past)]


def _charge(connection: sqlite3.Connection, user: Account, limits: Limits, past: list[Past], now: float) -> None:
    spent = Counter(month(each.created_at) for each in past)
    allowed = accounts.balance(connection, user, limits, now).monthly
    for name, credits_ in sorted(spent.items()):
        used: int = connection.execute(
            "SELECT count(*) FROM spending WHERE account_id = ? AND source = 'month' AND month = ?", (user.id, name)
        ).fetchone()[0]
        if used + credits_ > allowed:
            raise StudioError(
                f"This past takes {used + credits_:,} credits in {name}; the account has {allowed:,} a month.",
                hint="Ask for fewer generations, or more days; set_credits gives the account more.",
            )
    connection.executemany(
        "INSERT INTO spending (account_id, generation_id, source, month) VALUES (?, ?, 'month', ?)",
        [(user.id, each.id, month(each.created_at)) for each in past],
    )


def _collect(connection: sqlite3.Connection, user: Account, past: list[Past]) -> None:
    """Put every second take that fits into a playlist; one that is there already gets no second of its name."""
    there = {row["name"] for row in playlists.listing(connection, user.id)}
    for name, words, public in LISTS:
        fitting = [
            each
            for each in past
            if any(word in each.tags for word in words) and not each.error and (each.public or not public)
        ][::2]
        if name in there or not fitting:
            continue
        made = playlists.create(connection, user.id, name, public, "Made up, with its tracks.", fitting[0].completed_at)
        playlists.add(connection, made, user.id, [each.id for each in fitting], fitting[-1].completed_at)
