"""Going down the listing without missing a row, though the service knows pages by their offset only."""

from __future__ import annotations

from dataclasses import dataclass

from finetuning.errors import InvalidAnswerError
from finetuning.protocol import PAGE_MAX, list_generations
from finetuning.records import Generation, GenerationPage

from .steps import Steps

__all__ = ["Walk"]

#: So many pages without a new row are a listing that does not hold together.
_PATIENCE = 25


@dataclass
class Walk:
    """Reads pages from an offset on, each of which begins with a row that was read before.

    A track that is created meanwhile moves later rows down: they come again. One that is deleted moves them up, and a
    page that went on where the last one ended would miss one. So pages overlap by a row, and one that does not begin
    with a known row is given up for one further up.

    Attributes
    ----------
    offset
        Of the next page.
    before
        Ids of rows that stand above, or were read; a page must begin with one of them, or the listing with it.
    seen
        Ids that were read.
    straight
        Whether the last page began with the row that the one before ended with, and not further up.
    """

    offset: int
    before: set[str]

    def __post_init__(self) -> None:
        self.seen: set[str] = set()
        self.straight = True
        self._back = PAGE_MAX - 1
        self._barren = 0
        self._last: list[str] = []

    def next(self) -> Steps[tuple[list[Generation], bool]]:
        """Read on.

        Returns
        -------
        rows, end
            The page's rows, and whether the listing ends with them.

        Raises
        ------
        InvalidAnswerError
            The listing repeats itself, or does not hold together.
        """
        while True:
            page: GenerationPage = yield list_generations(PAGE_MAX, self.offset)
            ids = [row.id for row in page.generations]
            end = not ids or not page.has_more
            joins = self.offset == 0 or (ids[:1] and ids[0] in self.before)
            self._barren = 0 if joins and not self.seen.issuperset(ids) else self._barren + 1
            if self._barren > _PATIENCE and not (joins and end):
                raise InvalidAnswerError(
                    f"The listing cannot be read to its end: {self._barren} pages in a row held no row that goes on "
                    "where the others end, and more are said to follow.",
                    request="GET /v1/generations",
                    hint="What was read is kept. Try again; if it persists, the service has changed.",
                )
            if joins:
                break
            self.offset = max(0, self.offset - self._back)
            self._back *= 2
        self.straight = not self._last or ids[:1] == self._last
        self._back, self._last = PAGE_MAX - 1, ids[-1:]
        self.seen.update(ids)
        self.before.update(ids)
        self.offset += max(len(ids) - 1, 1)
        return page.generations, end
