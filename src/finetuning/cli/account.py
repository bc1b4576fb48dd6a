"""`ft auth` and `ft me`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from finetuning import protocol

from .flags import Command, Group, json_flag, session_of
from .jsontext import indented
from .outcome import Outcome
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
