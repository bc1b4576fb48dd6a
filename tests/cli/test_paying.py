"""What costs a credit is paid for once, whatever becomes of the answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import finetuning as ft
from finetuning.cli import intents as intents_module
from finetuning.cli.intents import Intent, Intents
from finetuning.cli.lookup import find, newest
from finetuning.errors import FinetuningError, JournalError

Run = Callable[..., Any]


def test_a_lost_answer_is_looked_for_at_once(inside: Run, relay: Any, intents: Any) -> None:
    relay.lose = 1
    done = inside("generate", "answer", "lost", "--duration", "5", "--no-wait", "--base-url", relay.url)
    (sent,) = relay.posted
    assert done.value.seed == sent["seed"]
    assert done.said[0].startswith("note: the answer was lost (The answer to POST /v1/generations was lost")
    assert done.said[1:] == [f"note: found the paid generation {done.value.id}, not paying again"]
    assert done.out.startswith(f"Queued. id={done.value.id} ")
    intent, settled = intents()
    assert intent["body"] == sent
    assert (settled["intent"], settled["generation"]) == (intent["id"], done.value.id)


def test_the_same_command_finds_what_was_paid_for(inside: Run, relay: Any, intents: Any) -> None:
    argv = ("generate", "paid, unseen", "--duration", "5", "--base-url", relay.url)
    relay.lose, relay.down = 1, True
    lost = inside(*argv, code=3)
    assert "The same command looks for it before it pays again." in lost.err
    relay.down = False
    done = inside(*argv, "--json")
    assert len(relay.posted) == 1
    assert done.json["data"]["parameters"]["seed"] == relay.posted[0]["seed"]
    assert done.said[0] == f"note: found the paid generation {done.value.id}, not paying again"
    # Settled: the next one is another piece.
    other = inside(*argv, "--no-wait")
    assert len(relay.posted) == 2
    assert other.value.id != done.value.id
    assert other.value.seed != done.value.seed


def test_what_was_not_accepted_is_sent_again_with_the_same_seed(inside: Run, relay: Any, intents: Any) -> None:
    argv = ("generate", "never arrived", "--duration", "5", "--no-wait", "--base-url", relay.url)
    relay.refuse = 1
    inside(*argv, code=3)
    assert relay.posted == []
    seed = intents()[0]["body"]["seed"]
    # Other words are another request, and are not held up by this one.
    assert inside("generate", "other words", *argv[2:]).err == ""
    done = inside(*argv)
    assert done.value.seed == seed
    assert done.said == [
        (
            "note: an earlier request with these parameters was not accepted, as the library shows: "
            f"sending it again with the same seed, {seed}"
        )
    ]


def test_a_seed_that_is_given_must_be_the_same(inside: Run, relay: Any) -> None:
    argv = ("generate", "seeded", "--duration", "5", "--no-wait", "--base-url", relay.url)
    relay.lose, relay.darkens = 1, True
    inside(*argv, "--seed", "5", code=3)
    relay.down = False
    assert inside(*argv, "--seed", "6").err == ""
    assert inside(*argv).err == ""
    assert "found the paid generation" in inside(*argv, "--seed", "5").err
    assert len(relay.posted) == 3
    # What it found is settled, and is not taken for the answer to a later request.
    relay.refuse = 1
    inside(*argv, "--seed", "5", code=3)
    assert "was not accepted" in inside(*argv, "--seed", "5").err
    assert len(relay.posted) == 4


def test_a_seed_that_is_given_is_found_whatever_this_machine_s_clock_says(
    inside: Run, relay: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = ("generate", "clocks differ", "--duration", "5", "--no-wait", "--seed", "8", "--base-url", relay.url)
    earlier = inside(*argv).value.id
    for ahead in (timedelta(days=3), timedelta(hours=-9)):

        class Skewed(datetime):
            @classmethod
            def now(cls, tz: Any = None, ahead: timedelta = ahead) -> Any:
                return datetime.now(tz) + ahead

        monkeypatch.setattr(intents_module, "datetime", Skewed)
        relay.lose, relay.darkens = 1, True
        inside(*argv, code=3)
        relay.down = False
        found = inside(*argv)
        assert found.said == [f"note: found the paid generation {found.value.id}, not paying again"]
        assert found.value.id != earlier
        # What was there before is not the answer: nothing was accepted this time.
        relay.refuse = 1
        inside(*argv, code=3)
        assert "was not accepted" in inside(*argv).err


def test_with_a_seed_of_one_s_own_the_library_is_read_before_anything_is_spent(inside: Run, relay: Any) -> None:
    relay.down = True
    argv = ("generate", "own seed", "--duration", "5", "--no-wait", "--base-url", relay.url)
    assert inside(*argv, "--seed", "5", code=1).said == ["error: Not now."]
    assert relay.posted == []
    assert inside(*argv).value.id


def test_nothing_is_sent_while_the_library_cannot_be_read(inside: Run, relay: Any) -> None:
    argv = ("generate", "blind", "--duration", "5", "--no-wait", "--base-url", relay.url)
    relay.lose, relay.down = 1, True
    inside(*argv, code=3)
    assert inside(*argv, code=1).said == ["error: Not now."]
    assert len(relay.posted) == 1


def test_what_the_service_declines_leaves_nothing_open(inside: Run, host: Any, studio: ft.studio.Studio) -> None:
    refusal = json.dumps({"error": {"code": "VALIDATION_ERROR", "message": "No."}}).encode()
    host.answer = lambda handler: host.send(handler, 400, refusal)
    for _ in range(2):
        assert inside("generate", "x", "--base-url", host.url, "--api-key", studio.api_key, code=1).said == [
            "error: No."
        ]
    assert [path for _, path, _ in host.seen] == ["/v1/generations"] * 2


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_ended_while_it_pays(
    how: signal.Signals, ft_: Run, relay: Any, host: Any, desk: Path, intents: Any
) -> None:
    answer, arrived, go = host.answer, threading.Event(), threading.Event()

    def hold(handler: Any) -> None:
        if handler.command == "POST":
            relay.lose = 1
            answer(handler)
            arrived.set()
            go.wait(30)
        else:
            answer(handler)

    host.answer = hold
    argv = ["generate", "ended", "by", how.name, "--duration", "5", "--no-wait", "--base-url", relay.url]
    process = subprocess.Popen(
        [sys.executable, "-m", "finetuning.cli", *argv], cwd=desk, stderr=subprocess.PIPE, text=True
    )
    assert arrived.wait(30)
    # As long as it lives, the same command is another piece.
    open_ = Intents(Path(os.environ["FINETUNING_DATA_HOME"]))
    (intent,) = intents()
    body = {name: value for name, value in intent["body"].items() if name != "seed"}
    assert open_.lost(intent["base_url"], intent["account"], body) is None
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    go.set()
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert said == (
            "Interrupted. It may have been accepted and paid for. The same command looks for it before it pays again.\n"
        )
    host.answer = answer
    relay.lose = 0
    assert "found the paid generation" in ft_(*argv).err
    assert len(relay.posted) == 1


def test_an_intent_that_cannot_be_written_sends_nothing(inside: Run, relay: Any, home: Path) -> None:
    (home / "data").write_text("not a folder")
    (line,) = inside("generate", "x", "--base-url", relay.url, code=2).said
    assert "cannot be" in line
    assert relay.posted == []


# The file


BODY = {"tags": "x", "bpm": 300, "duration": 3, "key": "C", "scale": "major", "timesignature": "4", "seed": 1}


def test_lines_that_a_crash_cut_are_passed_over(tmp_path: Path) -> None:
    intents = Intents(tmp_path)
    first = intents.begin("u", "a", BODY, drawn=False)
    intents.release()
    with intents.path.open("ab") as file:
        file.write(b'{"kind":"inte')
    second = intents.begin("u", "a", BODY | {"webhook": "https://example.com/?token=secret"}, drawn=False)
    intents.settle(second, "gen")
    assert b"secret" not in intents.path.read_bytes()
    assert intents.known() == {"gen"}
    assert intents.lost("u", "a", BODY) == first
    assert intents.lost("u", "b", BODY) is None
    assert intents.path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    intents = Intents(tmp_path)
    intents.path.mkdir()
    with pytest.raises(JournalError, match="cannot be written: Is a directory"):
        intents.begin("u", "a", BODY, drawn=True)
    with pytest.raises(JournalError, match="cannot be read: Is a directory"):
        intents.known()


# The lookup


GIVEN = {"bpm": 200, "duration": 5, "keyscale": "C major", "timesignature": 4, "seed": 1}


def row(id_: str, ago: float, now: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "prompt": "x",
        "status": "completed",
        "createdAt": ((now or datetime.now(UTC)) - timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S"),
        "parameters": GIVEN,
    } | more


@pytest.mark.parametrize(
    ("rows", "drawn", "found"),
    [
        ([("a", 0, {})], False, "a"),
        ([("a", 0, {}), ("b", 0, {})], False, "a"),
        ([("a", 0, {"prompt": "y"}), ("b", 0, {})], False, "b"),
        ([("known", 0, {}), ("b", 0, {})], False, "b"),
        ([("a", 0, {"parameters": GIVEN | {"bpm": 120}})], False, None),
        ([("a", 0, {"parameters": GIVEN | {"seed": 2}})], False, None),
        ([("a", 60, {})], False, None),
        ([("a", 60, {})], True, "a"),
        ([("a", 7200, {})], True, "a"),
        ([("a", 3 * 86400, {})], True, None),
        ([("bare", 0, {"parameters": None})], False, "bare"),
        ([("bare", 0, {"prompt": None})], False, "bare"),
        ([], False, None),
    ],
)
def test_which_generation_is_the_one(
    rows: list[tuple[str, float, dict[str, Any]]], drawn: bool, found: str | None, host: Any
) -> None:
    made = [row(id_, ago, **more) for id_, ago, more in rows]
    assert _looked(host, made, drawn, row("bare", 0)) == found


def test_a_candidate_without_a_seed_is_not_decided(host: Any) -> None:
    with pytest.raises(FinetuningError, match="bare may be the generation whose answer was lost"):
        _looked(host, [row("bare", 0, parameters=None)], True, row("bare", 0, parameters=None))


def test_a_candidate_whose_tags_were_tidied_is_not_decided(host: Any) -> None:
    with pytest.raises(FinetuningError, match=r"a may be the generation .* does not say its tags as they were sent"):
        _looked(host, [row("a", 0, prompt="X.")], True, {})


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([], [("a", 9000)], "a"),
        ([("old", 60)], [("old", 60)], None),
        ([("old", 60)], [("old", 60), ("a", 60)], "a"),  # within the same second, in either order
        ([("old", 60)], [("a", 60), ("old", 60)], "a"),
        ([("old", 60), ("older", 90)], [("older", 90)], None),  # what was the newest is deleted
        ([("old", 60), ("other", 60)], [("old", 60), ("other", 60)], None),
    ],
)
def test_what_was_there_before_is_not_the_answer(
    before: list[tuple[str, float]], after: list[tuple[str, float]], found: str | None, host: Any
) -> None:
    now = datetime.now(UTC)
    there, here = ([row(id_, ago, now) for id_, ago in each] for each in (before, after))
    assert _looked(host, here, False, {}, there) == found


def test_a_listing_without_moments_tells_of_no_newest(host: Any) -> None:
    assert _looked(host, [row("a", 0)], False, {}, [row("b", 0, createdAt=None)]) == "a"


def _looked(
    host: Any,
    rows: list[dict[str, Any]],
    drawn: bool,
    whole: dict[str, Any],
    before: list[dict[str, Any]] | None = None,
) -> str | None:
    def answer(handler: Any) -> None:
        shown = rows if before is None or len(host.seen) > 1 else before
        listing = {"generations": shown, "hasMore": False, "nextOffset": None}
        data = listing if handler.path.startswith("/v1/generations?") else whole
        host.send(handler, 200, json.dumps({"data": data}).encode())

    host.answer = answer

    async def search() -> str | None:
        async with ft.AsyncClient("ft_live_" + "0" * 32, host.url) as client:
            end = None if before is None else await newest(client)
            intent = Intent(id="i", at=datetime.now(UTC), base_url="u", account="a", body=BODY, drawn=drawn, newest=end)
            generation = await find(client, intent, {"known"})
            return generation.id if generation else None

    return asyncio.run(search())
