"""`ft auth` and `ft me`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from finetuning import protocol

from .flags import Command, Group, json_flag, session_of
from .jsontext import indented
from .outcome import Outcome
from .session import Session, key_of
from .tables import block

if TYPE_CHECKING:
    from finetuning.records import Account

__all__ = ["auth", "me"]

auth = Group(
    name="auth",
    help="Sign in and out.",
    example="ft auth login",
)


def _account(context: click.Context, as_json: bool) -> Outcome:
    session = session_of(context)
    answer = session.call(lambda client: client.send(protocol.me()))
    session.print(indented(answer.content) if as_json else block(_lines(answer.value)))
    return Outcome(kind="account", value=answer.value)


def _lines(account: Account) -> list[tuple[str, str | None]]:
    limits = account.limits
    used = f"{_count(limits.monthly_remaining)} / {_count(limits.monthly_generations)}"
    return [
        ("Email", account.email),
        ("Name", account.name),
        ("Tier", account.tier),
        ("Monthly remaining", used),
        ("Pack credits", _count(limits.pack_credits)),
        ("Total remaining", _count(limits.total_remaining)),
        ("Queue depth", _count(limits.queue_depth)),
    ]


def _count(number: int | None) -> str:
    return "-" if number is None else str(number)


@click.command("me", cls=Command, example="ft me\nft me --json | jq .data.limits")
@json_flag
@click.pass_context
def me(context: click.Context, as_json: bool) -> Outcome:
    """Show whose key this is, the tier, and what is left to spend."""
    return _account(context, as_json)


@auth.command("whoami", example="ft auth whoami")
@json_flag
@click.pass_context
def whoami(context: click.Context, as_json: bool) -> Outcome:
    """Show whose key this is; the same as `ft me`."""
    return _account(context, as_json)


@auth.command("login", example="ft auth login\nft auth login --stdin < key.txt")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the key from the standard input, without asking.")
@click.pass_context
def login(context: click.Context, from_stdin: bool) -> Outcome:
    """Check a key with the service, and store it."""
    from finetuning import credentials

    session = session_of(context)
    key = session.flags.api_key or key_of(_typed(session, from_stdin))
    # Before it is stored: a key that does not work must not take the place of one that does.
    account = session.call_with(key, lambda client: client.me())
    where, in_plain_text = credentials.store(key)
    session.print(f"Stored in {where}. ✓")
    session.print(f"Signed in as {account.email} ({account.tier} tier)")
    if in_plain_text:
        session.note("there is no keychain here, so the key is in plain text, in a file that only you can read")
    if os.environ.get("FINETUNING_API_KEY"):
        session.note("FINETUNING_API_KEY is set, and comes before what is stored")
    return Outcome(kind="account", value=account)


def _typed(session: Session, from_stdin: bool) -> str:
    if from_stdin or not session.io.in_is_terminal:
        return session.io.piped().strip()
    try:
        return session.io.hidden("API key: ")
    except EOFError:
        session.tell("")  # behind the prompt
        raise click.UsageError("No key was given.") from None
    except KeyboardInterrupt:
        session.tell("")
        raise


@auth.command("logout", example="ft auth logout")
@click.pass_context
def logout(context: click.Context) -> Outcome:
    """Remove the stored key from the keychain and from the file."""
    from finetuning import credentials

    session = session_of(context)
    places = credentials.forget()
    session.print([f"Removed from {place}. ✓" for place in places] or "No key was stored.")
    if os.environ.get("FINETUNING_API_KEY"):
        session.note("FINETUNING_API_KEY is still set")
    return Outcome()
