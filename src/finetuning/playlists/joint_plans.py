"""`Plans`: what would be done to several playlists, shown together, done together, and taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from finetuning import errors
from finetuning.client.blocking import Client

from .carrying import Applied
from .fates import held
from .plans import COLUMNS, Plan, apply_all, undo_all
from .showing import outcomes_html

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AppliedPlans", "Plans"]


class AppliedPlans(dict[str, Applied]):
    """What became of several playlists: `Applied` by name (by id where two have one name)."""

    @property
    def summary(self) -> str:
        """One line for each playlist."""
        return "\n".join(each.summary for each in self.values())

    @property
    def failed(self) -> pd.DataFrame:
        """What was not changed: columns `playlist`, `id` and `error`, text."""
        return _stacked({name: each.failed for name, each in self.items()}, ["id", "error"])

    def raise_for_failed(self) -> None:
        """Raise what stopped one of them, or a `FinetuningError` where any track was not changed."""
        for each in self.values():
            each.raise_for_failed()

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.values()))

    def _repr_html_(self) -> str:
        return outcomes_html(each._repr_html_() for each in self.values())


class Plans(Sequence[Plan]):
    """Plans for several playlists, carried out together: everything is added before anything is removed.

    Parameters
    ----------
    client
        Who does it.
    plans
        One a playlist.
    move
        Whether a track that goes into one of them leaves those of the others that do not want it.
    """

    def __init__(self, client: Client, plans: Sequence[Plan], *, move: bool = False) -> None:
        self._client = client
        self._plans = list(plans)
        wanted = {each.playlist.id: set(each.accepted) for each in self._plans}
        for each in self._plans:
            others = [other for other in self._plans if other is not each]
            leaves = held(each.playlist) if move else list(each.remove["id"])
            stays = wanted[each.playlist.id]
            goes = {id_: [o for o in others if id_ in wanted[o.playlist.id]] for id_ in leaves if id_ not in stays}
            goes = {id_: plans for id_, plans in goes.items() if plans}
            each.link(goes)

    def __len__(self) -> int:
        return len(self._plans)

    def __getitem__(self, place: Any) -> Any:
        """Return one plan, by its place or by the playlist's name."""
        if isinstance(place, str):
            named = [each for each in self._plans if place in (each.name, each.playlist.id)]
            if not named:
                raise KeyError(place)
            return named[0]
        return self._plans[place]

    def __iter__(self) -> Iterator[Plan]:
        return iter(self._plans)

    @property
    def add(self) -> pd.DataFrame:
        """The tracks that would be added: `playlist`, `id`, `title`, `reason`."""
        return self._stacked("add")

    @property
    def remove(self) -> pd.DataFrame:
        """The tracks that would be taken out."""
        return self._stacked("remove")

    @property
    def keep(self) -> pd.DataFrame:
        """The tracks that stay where they are."""
        return self._stacked("keep")

    @property
    def refused(self) -> pd.DataFrame:
        """The tracks that are wanted and may not be in, with the reason."""
        return self._stacked("refused")

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return all(each.empty for each in self._plans)

    @property
    def requests(self) -> int:
        """How many requests `apply` sends."""
        return sum(each.requests for each in self._plans)

    @property
    def summary(self) -> str:
        """One line for each playlist."""
        return "\n".join(each.summary for each in self._plans)

    def apply(self, *, anyway: bool = False) -> AppliedPlans:
        """Do all of it, after looking whether the playlists are still as they were; see `Plan.apply`."""
        done = apply_all(self._client, self._plans, anyway=anyway)
        return self._named(self._plans, done)

    def undo(self) -> AppliedPlans:
        """Take back what these plans did: again everything is added before anything is removed. See `Plan.undo`.

        Raises
        ------
        UsageError
            There is nothing to take back in any of them.
        """
        changed = [each for each in self._plans if each.changed]
        if not changed:
            raise errors.UsageError("There is nothing to take back.", hint="plans.apply() carries them out.")
        return self._named(changed, undo_all(self._client, changed))

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._plans))

    def _repr_html_(self) -> str:
        return outcomes_html(each._repr_html_() for each in self._plans)

    def _stacked(self, what: str) -> pd.DataFrame:
        return _stacked(dict(zip(self._keys, (getattr(each, what) for each in self._plans), strict=True)), COLUMNS)

    @property
    def _keys(self) -> list[str]:
        names = [each.name for each in self._plans]
        return [each.name if names.count(each.name) == 1 else each.playlist.id for each in self._plans]

    def _named(self, plans: Sequence[Plan], done: Sequence[Applied]) -> AppliedPlans:
        keys = dict(zip([each.playlist.id for each in self._plans], self._keys, strict=True))
        return AppliedPlans({keys[each.playlist.id]: one for each, one in zip(plans, done, strict=True)})


def _stacked(frames: Mapping[str, pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    parts = [frame.assign(playlist=name)[["playlist", *columns]] for name, frame in frames.items()]
    empty = pd.DataFrame(columns=["playlist", *columns], dtype="str")
    return pd.concat([empty, *parts], ignore_index=True).astype("str")
