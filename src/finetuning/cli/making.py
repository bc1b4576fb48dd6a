"""`ft generate`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finetuning import errors, parameters, protocol

from .downloading import fetch
from .files import agree, is_folder, place, writable
from .flags import Command, Whole, json_flag, session_of
from .jsontext import indented
from .outcome import API, Outcome
from .paying import Paying
from .progress import progress
from .session import Session
from .wording import size

if TYPE_CHECKING:
    from finetuning.client.aio import AsyncClient
    from finetuning.records import Generation

__all__ = ["generate"]

_PATIENCE = 300.0
#: Leaves key or scale to the service.
_ANY = "any"


@click.command(
    "generate",
    cls=Command,
    example='ft generate "lofi chill piano" --bpm 85 --key A --scale minor --duration 30\n'
    "ft generate rainy jazz trio --no-wait",
)
@click.argument("tags", metavar="TAGS...", nargs=-1, required=True)
@click.option("--duration", type=Whole(), help="Seconds, 5 to 210. [default: defaultDuration of config.json, else 60]")
@click.option("--bpm", type=Whole(), help="Beats a minute, 60 to 200. [default: defaultBpm of config.json, else 120]")
@click.option("--key", default="C", show_default=True, metavar="KEY", help="C, C#, D … B, or any.")
@click.option("--scale", default="major", show_default=True, metavar="SCALE", help="major, minor, or any.")
@click.option("--time-sig", default="4", show_default=True, metavar="N", help="Beats in a bar, 2 to 7.")
@click.option(
    "--language", default="en", show_default=True, metavar="LANG", help="Of the lyrics: en, ja, de, fr, es, zh, …"
)
@click.option("--lyrics", default="", metavar="TEXT", help='Words to sing, up to 2000 characters. [default: ""]')
@click.option("--seed", type=Whole(), help="The same seed makes the same piece. [default: random]")
@click.option("-o", "--output", metavar="PATH", help="A file, or a folder. [default: <title>-<short id>.mp3 here]")
@click.option("--force", is_flag=True, help="Replace the file of -o, without asking.")
@click.option("--no-wait", is_flag=True, help="Return as soon as it is accepted.")
@click.option("--webhook", metavar="URL", help="Called once at the end; implies --no-wait. [default: none]")
@json_flag
@click.pass_context
def generate(
    context: click.Context,
    /,
    tags: tuple[str, ...],
    key: str,
    scale: str,
    output: str | None,
    force: bool,
    no_wait: bool,
    as_json: bool,
    **given: Any,
) -> Outcome:
    """Make a piece of music, wait for it, and download it. Costs one credit.

    TAGS say what it should be, in up to 700 characters. The answer to a request may get lost; the same command
    then finds what was paid for instead of paying again.
    """
    session = session_of(context)
    wait = not (no_wait or given["webhook"])
    saves = wait and not as_json
    given |= {
        "duration": _first(given["duration"], session.settings.default_duration, 60),
        "bpm": _first(given["bpm"], session.settings.default_bpm, 120),
        "key": None if key == _ANY else key,
        "scale": None if scale == _ANY else scale,
        "time_signature": given.pop("time_sig"),
    }
    text = " ".join(tags)
    parameters.create_body(text, local=True, **given)  # refused before anything is asked, sent or spent
    if saves:
        writable(output)
        if output and not is_folder(output) and not agree(session, [Path(output).expanduser()], force=force):
            return Outcome()
    elif output:
        session.note("nothing is downloaded with --json, --no-wait or --webhook, so -o is not used")

    async def work(client: AsyncClient) -> Generation:
        body = parameters.create_body(text, local=client.transport.local, **given)
        made, content = await Paying(client, session).submit(body)
        if wait:
            made = await _finished(client, session, made)
            if as_json:
                content = (await client.send(protocol.get_generation(made.id))).content
        if as_json:
            session.print(indented(content))
        elif not wait:
            session.print(f"Queued. id={made.id} status={made.status}")
        else:
            await _save(client, session, made, output)
        return made

    try:
        return Outcome(kind="generation", value=session.call(work))
    except errors.StillProcessingError as later:
        session.tell(f"still processing, run `ft get {later.id}` later")
        return Outcome(API)


def _first(given: int | None, configured: int | None, usual: int) -> int:
    """Return what was said, were it 0, which the service clamps; else what is configured, else the usual."""
    return given if given is not None else configured if configured is not None else usual


async def _finished(client: AsyncClient, session: Session, made: Generation) -> Generation:
    session.if_interrupted = (
        f"Interrupted. {made.id} goes on and is paid for: `ft get {made.id}` shows it, "
        f"`ft download {made.id}` fetches it when it is done."
    )
    session.tell(f"Queued. id={made.id} status={made.status}")
    with progress(session, "generating") as shown:
        ticking = asyncio.ensure_future(shown.tick())

        def looked(known: Generation, waited: float) -> None:
            shown.say(str(known.status))

        try:
            return await client.wait(made, timeout=_PATIENCE, progress=looked)
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking


async def _save(client: AsyncClient, session: Session, made: Generation, output: str | None) -> None:
    from finetuning.audio.names import file_name

    path = place(output, file_name(made))
    with progress(session, "downloading", unit="B", unit_scale=True) as shown:
        # What is there under -o was agreed to; the default name is the generation's own.
        length = await fetch(client, made, path, output is not None and not is_folder(output), shown)
    session.print(f"Saved {path} ({size(length)})")
