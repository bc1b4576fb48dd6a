"""What the client's messages say, to the letter where a letter matters."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import respx

import finetuning as ft
from finetuning import errors
from finetuning.bulk import BulkOutcome
from finetuning.cli.wording import for_the_command
from finetuning.client.outcomes import checked
from finetuning.client.resolving import resolve_playlist
from finetuning.records import Generation, Playlist

KEY = "ft_live_" + "0123456789abcdef" * 2
LOOK = "https://pub.finetuning.ai/v1/generations/g"


def wait(clock: Any, timeout: float) -> None:
    async def wait() -> None:
        async with ft.AsyncClient(KEY, clock=clock, policy=ft.Policy(retries=0)) as client:
            await client.wait(Generation(id="g", status="pending"), timeout=timeout)

    asyncio.run(wait())


@pytest.mark.parametrize(
    ("timeout", "said"), [(0, "0"), (0.2, "0.2"), (0.25, "0.25"), (3, "3"), (7.5, "7.5"), (42.2, "42"), (300, "300")]
)
@respx.mock
def test_a_short_wait_is_not_said_to_be_none(clock: Any, timeout: float, said: str) -> None:
    respx.get(LOOK).respond(json={"data": {"id": "g", "status": "processing"}})
    with pytest.raises(errors.StillProcessingError) as caught:
        wait(clock, timeout)
    assert caught.value.message.endswith(f" after {said} s.")


@pytest.mark.parametrize("reason", ["Out of tune", "Out of tune."])
@respx.mock
def test_a_failure_ends_in_one_full_stop(clock: Any, reason: str) -> None:
    answer = {"data": {"id": "g", "status": "failed", "errorMessage": reason}}
    respx.get(LOOK).mock(return_value=httpx.Response(200, json=answer))
    with pytest.raises(errors.GenerationError) as caught:
        wait(clock, 60)
    assert caught.value.message == "g failed: Out of tune."


@pytest.mark.parametrize(
    ("message", "said"), [("none", "none."), ("none.", "none."), ("none!", "none!"), ("none.\n", "none.")]
)
def test_what_stopped_a_batch_does_not_run_into_what_follows(message: str, said: str) -> None:
    error = errors.ServiceError(message, status=500, code="INTERNAL_ERROR")
    outcome = BulkOutcome("Added", ["a", "b"], succeeded=["a"], not_attempted=["b"], error=error)
    with pytest.warns(errors.PartialWarning) as caught:
        checked(outcome)
    assert str(caught[0].message).endswith(
        f"Added 1 of 2 track(s); stopped by: {said} The outcome's .failed names every other id."
    )


def test_where_there_are_no_playlists_the_call_that_makes_one_is_named() -> None:
    async def nothing() -> list[Playlist]:
        return []

    with pytest.raises(errors.PlaylistNotFoundError) as caught:
        asyncio.run(resolve_playlist(nothing, "Focus"))
    assert "client.studio.create_playlist(name)" in (caught.value.hint or "")
    assert "`ft studio playlist create NAME`" in (for_the_command(caught.value.hint) or "")
