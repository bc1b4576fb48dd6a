"""The deck under the library panel, and the ratings that are given in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from ..trouble import Trouble, shown

if TYPE_CHECKING:
    import pandas as pd

    from finetuning.client.blocking import Client

    from ..deck.widget import Deck

__all__ = ["Listening"]


class Listening(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """One deck at a time.

    Parameters
    ----------
    client
        Whose takes they are.
    trouble
        Where errors are shown.
    rated
        Called when ratings may have changed.

    Attributes
    ----------
    deck
        None before anything was played.
    ratings
        By id, 1 to 5.
    """

    def __init__(self, client: Client, trouble: Trouble, rated: Callable[[], None]) -> None:
        self._client, self._trouble, self._rated = client, trouble, rated
        self.deck: Deck | None = None
        self.ratings: dict[str, int] = {}
        super().__init__([])

    def play(self, takes: pd.DataFrame) -> None:
        """Show a deck of these instead of the one before, and let the first of them sound."""
        from ..deck.widget import Deck

        before, self.deck = self.deck, Deck(self._client, takes)
        self.deck.begin = True
        self.deck.on_change(self._heard)
        self.children = (self.deck,)
        self._take_ratings(self.deck)
        if before is not None:
            before.close()

    def _heard(self, change: dict[str, Any]) -> None:
        with shown(self._trouble):
            if change.get("what") == "rating" and self.deck is not None:
                self._take_ratings(self.deck)

    def _take_ratings(self, deck: Deck) -> None:
        import pandas as pd

        ratings = deck.ratings
        for id_, rating in zip(ratings["id"], ratings["rating"], strict=True):
            if pd.isna(rating):
                self.ratings.pop(id_, None)
            else:
                self.ratings[id_] = int(rating)
        self._rated()
