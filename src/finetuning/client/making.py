"""The verbs that make music, and cost credits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from finetuning import errors, notices, parameters, protocol, settings
from finetuning.records import Created, Generation
from finetuning.selections import Tracks

from .polling import wait_for
from .sender import Sender

__all__ = ["Making"]


class Making(Sender):
    """Submits generations and waits for them."""

    async def generate(
        self,
        tags: str,
        *,
        bpm: float | None = None,
        key: str | None = None,
        scale: str | None = None,
        time_signature: int | str | None = None,
        duration: float | None = None,
        seed: int | None = None,
        lyrics: str | None = None,
        language: str | None = None,
        webhook: str | None = None,
        wait: bool = True,
        timeout: float | None = 300.0,  # noqa: ASYNC109 - the music's, not the request's
        progress: Callable[[Generation, float], None] | None = None,
    ) -> Generation:
        """Make one piece of music; costs a credit.

        Parameters
        ----------
        tags, bpm, key, scale, time_signature, duration, seed, lyrics, language, webhook
            See `parameters.create_body`; what is left out the service chooses (bpm 120, 60 s, 4 beats a bar, or
            what the configuration says).
        wait
            Whether to wait until the music is there. A webhook does not change this.
        timeout
            Seconds to wait at most; None for as long as it takes.
        progress
            Called with the record and the seconds waited, at each look.

        Raises
        ------
        ParameterError
            Before anything was sent.
        OutOfCreditsError, RateLimitError, QueueFullError
            The service declined; nothing was spent.
        AnswerLostError
            It may have been accepted and paid for. It is never sent again here; look at `generations()`.
        GenerationError
            The service gave it up.
        StillProcessingError
            `timeout` passed; it goes on, and its id is on the exception.
        """
        patience, wait = parameters.patience(timeout), parameters.truth("wait", wait)  # before anything is paid for
        created = await self.submit(
            self.body(
                tags,
                bpm=bpm,
                key=key,
                scale=scale,
                time_signature=time_signature,
                duration=duration,
                seed=seed,
                lyrics=lyrics,
                language=language,
                webhook=webhook,
            )
        )
        return await self.wait(created, timeout=patience, progress=progress) if wait else created

    def body(self, tags: str, **given: Any) -> dict[str, Any]:
        """Check parameters and build the create body, with the configured defaults; sends nothing."""
        configured = settings.load()
        if given.get("bpm") is None:
            given["bpm"] = configured.default_bpm
        if given.get("duration") is None:
            given["duration"] = configured.default_duration
        return parameters.create_body(tags, local=self._transport.local, **given)

    async def submit(self, body: Mapping[str, Any]) -> Created:
        """Send a create body once, and warn of what the service clamped."""
        created = await self._value(protocol.create_generation(body))
        warn_of_clamping(body, created)
        return created

    async def wait(
        self,
        generation: Tracks,
        *,
        timeout: float | None = 300.0,  # noqa: ASYNC109 - the music's, not the request's
        progress: Callable[[Generation, float], None] | None = None,
    ) -> Generation:
        """Wait until a generation is finished; a record, an id or a row says which.

        A look that fails in passing (the network, a limit, a 5xx) is repeated for as long as there is time.

        Raises
        ------
        GenerationError
            The service gave it up; the record is on the exception.
        StillProcessingError
            `timeout` seconds passed.
        """
        return await wait_for(self._transport, generation, timeout=parameters.patience(timeout), progress=progress)


def warn_of_clamping(body: Mapping[str, Any], created: Generation) -> None:
    """Warn where the service moved tempo or duration into its range."""
    given = created.parameters
    for name in ("bpm", "duration"):
        asked, got = body.get(name), getattr(given, name, None)
        if asked is not None and got is not None and float(asked) != float(got):
            notices.warn(errors.ClampedWarning(f"{name} clamped from {asked} → {got:g}", generation=created))
