"""100,000 generations from JSON pages to the typed DataFrame, beside the straightforward way to the same frame."""

from __future__ import annotations

import json
import random
import uuid

import pandas as pd

from finetuning import protocol
from finetuning.frames import GENERATION_COLUMNS, generations_frame
from finetuning.records import KEYS, SCALES, STATUSES

from .timing import best, line

ROWS = 100_000


def pages(rows: int = ROWS) -> list[bytes]:
    draw = random.Random(1)
    found = []
    for start in range(0, rows, protocol.PAGE_MAX):
        listing = [_row(draw, number) for number in range(start, min(start + protocol.PAGE_MAX, rows))]
        found.append(json.dumps({"data": {"generations": listing, "hasMore": True, "nextOffset": 99}}).encode())
    return found


def _row(draw: random.Random, number: int) -> dict[str, object]:
    identity = str(uuid.UUID(int=draw.getrandbits(128), version=4))
    return {
        "id": identity,
        "title": f"Take {number}",
        "prompt": "lofi chill piano with rain on the window",
        "type": "music",
        "status": "completed",
        "audioUrl": f"https://media.finetuning.ai/{identity}.mp3",
        "duration": draw.randint(5, 210),
        "isPublic": draw.random() < 0.2,
        "playCount": draw.randint(0, 50),
        "likeCount": draw.randint(0, 5),
        "parameters": {
            "bpm": draw.randint(60, 200),
            "duration": 60,
            "keyscale": f"{draw.choice(KEYS)} {draw.choice(SCALES)}",
            "timesignature": 4,
            "seed": draw.getrandbits(31),
            "language": "en",
        },
        "createdAt": f"2026-01-{draw.randint(1, 28):02} 10:{draw.randint(0, 59):02}:00",
        "completedAt": f"2026-01-{draw.randint(1, 28):02}T10:{draw.randint(0, 59):02}:17.623Z",
    }


def ours(content: list[bytes]) -> pd.DataFrame:
    request = protocol.list_generations(99)
    return generations_frame(row for page in content for row in protocol.read(request, 200, {}, page).generations)


def straightforward(content: list[bytes]) -> pd.DataFrame:
    """The way of any notebook: json.loads, json_normalize, rename, convert each column."""
    frame = pd.json_normalize([row for page in content for row in json.loads(page)["data"]["generations"]])
    keyscale = frame.pop("parameters.keyscale").str.split(" ", n=1, expand=True)
    frame = frame.assign(key=keyscale[0], scale=keyscale[1]).rename(
        columns={
            "audioUrl": "audio_url",
            "isPublic": "is_public",
            "playCount": "play_count",
            "likeCount": "like_count",
            "createdAt": "created_at",
            "completedAt": "completed_at",
            "parameters.bpm": "bpm",
            "parameters.duration": "requested_duration",
            "parameters.timesignature": "time_signature",
            "parameters.seed": "seed",
            "parameters.language": "language",
        }
    )
    frame = frame.reindex(columns=list(GENERATION_COLUMNS))
    for name, dtype in GENERATION_COLUMNS.items():
        if dtype == "time":
            frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True).dt.as_unit("ns")
        elif dtype == "category":
            values = {"status": STATUSES, "key": KEYS, "scale": SCALES}[name]
            frame[name] = pd.Categorical(frame[name], categories=values)
        else:
            frame[name] = frame[name].astype(dtype)  # type: ignore[call-overload]  # from the table
    return frame


def main() -> None:
    content = pages()
    pd.testing.assert_frame_equal(ours(content[:20]), straightforward(content[:20]))
    fast = best(lambda: ours(content))
    slow = best(lambda: straightforward(content))
    line(
        f"{ROWS:,} generations: JSON pages to the typed frame",
        f"{fast:.2f} s",
        f"json.loads + json_normalize + dtypes {slow:.2f} s",
        slow / fast,
        "at least 3",
    )
