"""The command's root, and what hangs on it."""

from __future__ import annotations

from typing import Final

import click

from . import account, bulk, completion, downloading, library, making, playlists, studio, upkeep
from .flags import Group

__all__ = ["VARIABLES", "app"]

#: What the environment may say.
VARIABLES: Final = {
    "FINETUNING_API_KEY": "The key, before what is stored and behind --api-key.",
    "FINETUNING_CONFIG_HOME": "The folder of config.json, and of the key where there is no keychain.",
    "FINETUNING_DATA_HOME": "The folder of what ft was about to pay for, of sweeps, and of the studio.",
    "FINETUNING_SOUNDFONT": "The SoundFont that the studio plays with.",
    "NO_COLOR": "Anything in it turns colour off.",
}


class _Root(Group):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Environment"):
            formatter.write_dl(list(VARIABLES.items()))
        super().format_epilog(ctx, formatter)


app = _Root(
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
