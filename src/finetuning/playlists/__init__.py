"""Curation as code: what a playlist should hold, in which order its tracks flow, and which takes are nearly the same.

>>> plan = ft.playlists.plan(client, "Focus Beats", df[df.rating >= 4])  # doctest: +SKIP
>>> plan.apply()  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetuning.errors import PlaylistChangedError
from finetuning.loading import names_of

if TYPE_CHECKING:
    from finetuning.playlists.carrying import Applied
    from finetuning.playlists.joint_plans import AppliedPlans, Plans
    from finetuning.playlists.likeness import Duplicates, duplicates
    from finetuning.playlists.ordering import flow
    from finetuning.playlists.planning import plan
    from finetuning.playlists.plans import Plan

#: Public name: the module that has it. No module is called as a public name is, which would hide it.
_HOMES = {
    "Applied": "carrying",
    "AppliedPlans": "joint_plans",
    "Duplicates": "likeness",
    "Plan": "plans",
    "Plans": "joint_plans",
    "duplicates": "likeness",
    "flow": "ordering",
    "plan": "planning",
}

__all__ = [
    "Applied",
    "AppliedPlans",
    "Duplicates",
    "Plan",
    "Plans",
    "PlaylistChangedError",
    "duplicates",
    "flow",
    "plan",
]

__getattr__ = names_of(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
