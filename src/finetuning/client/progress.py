"""Progress bars for long work, and nothing for short work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from finetuning.records import Generation

__all__ = ["Bar"]


class Bar:
    """Shows how far something is; the bar appears with the first report, so that short work shows none.

    Parameters
    ----------
    enabled
        Whether anything is shown.
    """

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self._shown: Any = None

    @contextmanager
    def counting(self, what: str, total: int | None, *, unit: str) -> Iterator[Callable[[int, int | None], None]]:
        """Count towards `total`; yields a function of how many are done and how many there are."""

        def report(done: int, all_: int | None) -> None:
            if self._shown is None and all_ is not None and done >= all_:
                return  # finished with the first step: there is nothing to watch
            bar = self._bar(what, total=all_, unit=unit)
            if bar is not None:
                bar.update(done - bar.n)

        with self._closing():
            yield report

    @contextmanager
    def waiting_for(self, what: str, timeout: float) -> Iterator[Callable[[Generation, float], None]]:
        """Show how long something takes; yields a function of the record and the seconds waited."""

        def report(generation: Generation, waited: float) -> None:
            if generation.finished and self._shown is None:
                return
            bar = self._bar(what, total=None, bar_format="{desc} · {elapsed}")
            if bar is not None:
                bar.set_description_str(f"{what}: {generation.status}, at most {timeout - waited:.0f} s more")

        with self._closing():
            yield report

    def waiting(self, reason: str, seconds: float) -> None:
        """Say that a limit makes us wait."""
        if self._shown is not None:
            self._shown.set_postfix_str(f"{reason}: waiting {seconds:.0f} s")

    def note(self, text: str) -> None:
        """Show a few words beside the bar."""
        if self._shown is not None:
            self._shown.set_postfix_str(text)

    def _bar(self, what: str, **options: Any) -> Any:
        if not self.enabled:
            return None
        if self._shown is None:
            from tqdm.auto import tqdm

            self._shown = tqdm(desc=what, leave=False, **options)
        return self._shown

    @contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self._shown is not None:
                self._shown.close()
                self._shown = None
