"""`ft download`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from finetuning.errors import DownloadError, FinetuningError

from .files import NotReadyError, agree, is_folder, place, writable
from .flags import Command, ids, session_of
from .outcome import OK, Outcome
from .problems import code_of, sentence
from .progress import progress
from .session import Session
from .wording import size

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.client.listening import Downloaded
    from finetuning.client.sender import Progress
    from finetuning.records import Generation

__all__ = ["download", "fetch"]

_AT_ONCE: Final = 4


@click.command(
    "download",
    cls=Command,
    example="ft download 3f2b8c1e-5f0e-4c39-9a55-0d2f1c7b6a10 -o take.mp3\n"
    "ft list --json | jq -r '.data.generations[].id' | xargs ft download -o takes/",
)
@click.argument("tracks", metavar="ID...", nargs=-1, required=True)
@click.option(
    "-o", "--output", metavar="PATH", help="A file, or a folder. [default: <title>-<short id>.mp3 in this folder]"
)
@click.option("--force", is_flag=True, help="Replace files that are there already, without asking.")
@click.pass_context
def download(context: click.Context, tracks: tuple[str, ...], output: str | None, force: bool) -> Outcome:
    """Download the sound of finished tracks.

    A download that broke off goes on where it stopped.
    """
    session = session_of(context)
    chosen = ids(tracks)
    if len(chosen) > 1 and output and not is_folder(output):
        if Path(output).expanduser().exists():
            raise click.UsageError(f"-o {output} is a file; several tracks need a folder.")
        output += "/"
    writable(output)

    def fetched(force: bool) -> list[Downloaded]:
        return session.call(lambda client: _all(client, session, chosen, output, force))

    try:
        results = fetched(force)
    except _Taken as taken:
        # Asked out here: whoever runs the loop may not be the one who can be asked.
        if not agree(session, taken.paths, force=False):
            return Outcome()
        results = fetched(True)
    code = OK
    for each in results:
        if each.error is None:
            session.print(f"Saved {each.path} ({size(each.size)})")
        elif len(results) == 1:
            raise each.error
        else:
            session.warn(f"{each.id}: {sentence(each.error)}")
            code = code or code_of(each.error)
    return Outcome(code, "downloads", results)


class _Taken(Exception):  # noqa: N818 - a question, not an error
    """Files that are there already."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(paths)
        self.paths = paths


async def _all(
    client: AsyncClient, session: Session, chosen: list[str], output: str | None, force: bool
) -> list[Downloaded]:
    from finetuning.audio.names import file_names
    from finetuning.client.listening import Downloaded
    from finetuning.records import Generation

    found = dict(zip(chosen, await client.find_generations(chosen), strict=True))
    ready = [track for track in found.values() if isinstance(track, Generation) and track.status == "completed"]
    paths = {id_: place(output, name) for id_, name in file_names(ready).items()}
    taken = [path for path in paths.values() if path.exists()]
    if taken and not force:
        raise _Taken(taken)
    gate = asyncio.Semaphore(_AT_ONCE)
    arrived: dict[str, tuple[int, int]] = {}

    with progress(session, "downloading", 0, unit="B", unit_scale=True) as shown:

        async def one(id_: str) -> Downloaded:
            track = found[id_]

            def advance(here: int, total: int | None) -> None:
                arrived[id_] = here, total or here
                shown(sum(here for here, _ in arrived.values()), sum(total for _, total in arrived.values()))

            try:
                if not isinstance(track, Generation):
                    raise track
                path = paths.get(track.id, Path())
                async with gate:
                    return Downloaded(id_, path, await fetch(client, track, path, force, advance))
            except FinetuningError as error:
                return Downloaded(id_, error=error)

        return list(await asyncio.gather(*map(one, chosen)))


async def fetch(
    client: AsyncClient, track: Generation, path: Path, overwrite: bool, advance: Progress | None = None
) -> int:
    """Fetch one track to a file, and return its length in bytes.

    Raises
    ------
    NotReadyError
        There is nothing to fetch.
    DownloadError
        It could not be fetched whole, or not be written.
    """
    from finetuning.audio.downloads import fetch_file
    from finetuning.client.listening import audio_url

    try:
        url = audio_url(track)
    except DownloadError as problem:
        waiting = track.status in ("pending", "processing")
        hint = f"Run `ft get {track.id}` later." if waiting else problem.hint
        raise NotReadyError(problem.message, hint=hint) from None
    return await fetch_file(client.transport, url, path, overwrite=overwrite, progress=advance)
