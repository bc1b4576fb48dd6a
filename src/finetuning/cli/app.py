"""The command's root, and what hangs on it."""

from __future__ import annotations

import click

from . import account, bulk, completion, downloading, library, making, playlists, studio, upkeep
from .flags import Group

__all__ = ["app"]

app = Group(
    name="ft",
    help="Make and curate AI music with Finetuning.ai.",
    example='ft generate "lofi chill piano" --bpm 85 --duration 30\nft help generate',
)


def register(*commands: click.Command) -> None:
    """Hang commands on the root."""
    for command in commands:
        app.add_command(command)


register(
    account.auth,
    account.me,
    making.generate,
    library.listing,
    library.get,
    downloading.download,
    bulk.delete,
    playlists.playlists,
    playlists.playlist,
    upkeep.doctor,
    upkeep.update,
    upkeep.help_,
    studio.studio,
    completion.completion,
)
