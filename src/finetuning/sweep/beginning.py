"""How a run begins: what is checked while nothing is spent yet, and the first line of its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetuning import settings
from finetuning.errors import NotEnoughCreditsError, ParameterError, SweepWarning
from finetuning.notices import warn
from finetuning.parameters import create_body, whole
from finetuning.records import Account

from .events import VERSION, Began, Bounded
from .ledger import Ledger, begun, exists, now
from .names import default_name, journal_path
from .points import Plan

if TYPE_CHECKING:
    from finetuning.client.blocking import Client

    from .following import Told

__all__ = ["begin", "check_account", "check_count", "check_credits", "check_receiver", "in_flight", "warn_of_credits"]


def begin(plan: Plan, client: Client, name: str | None, max_credits: int | None = None) -> tuple[Ledger, Account]:
    """Check everything that can be checked before money is spent, and begin the journal.

    Returns
    -------
    Ledger, Account
        The journal, held; and the account as it is now.

    Raises
    ------
    ParameterError
        A run of that name exists; a value that this service would refuse.
    NotEnoughCreditsError
        The sweep costs more than is left.
    """
    path = journal_path(name if name is not None else default_name(plan.title, now()))
    if begun(path):
        raise exists(path)
    configured = settings.load()
    plan = plan.with_defaults(bpm=configured.default_bpm, duration=configured.default_duration)
    for point in range(len(plan)):
        plan.body(point, local=client.asynchronous.transport.local)
    account = client.me()
    check_credits(len(plan) if max_credits is None else min(len(plan), max_credits), account)
    began = Began(at=now(), version=VERSION, name=path.stem, base_url=client.base_url, account=account.id, plan=plan)
    ledger = Ledger.create(path, began)
    if max_credits is not None:
        with ledger.handing_over():
            ledger.record(Bounded(at=now(), max_credits=max_credits))
    return ledger, account


def check_count(name: str, count: object) -> int | None:
    """Check how many generations may be in flight, or how many credits may be spent; None leaves it open."""
    if count is None:
        return None
    number = whole(name, count)
    if number < 1:
        raise ParameterError(f"{name}={number} is not 1 or more.", parameter=name, value=count)
    return number


def check_receiver(receiver: Told | None, client: Client) -> None:
    """Refuse a receiver that the service cannot reach, while nothing has been sent.

    Raises
    ------
    ParameterError
        It is no receiver, or its address is none that the service would take.
    FinetuningError
        It is not being served.
    """
    if receiver is not None:
        if not callable(getattr(receiver, "subscribe", None)) or isinstance(receiver, type):
            raise ParameterError(
                f"A value of type {type(receiver).__name__} is not a receiver.",
                parameter="receiver",
                value=receiver,
                hint="Pass an ft.webhooks.Receiver() that was started: receiver = ft.webhooks.Receiver().start().",
            )
        create_body("x", local=client.asynchronous.transport.local, webhook=receiver.url)


def in_flight(asked: int | None, account: Account) -> int:
    """Return how many generations may be in flight: as asked, else as many as the queue holds, 20 at most.

    At the documented ten a minute more are of no use: each would have to take two minutes.
    """
    return asked or min(max(account.limits.queue_depth or 10, 1), 20)


def check_credits(cost: int, account: Account) -> None:
    """Refuse a sweep that costs more than is left, where the service says what is.

    Raises
    ------
    NotEnoughCreditsError
        Nothing was sent.
    """
    left = account.limits.total_remaining
    if left is not None and cost > left:
        short = cost - max(left, 0)
        drop = f"Drop {short:,} point{'' if short == 1 else 's'} or more: fewer seeds, wider steps, or where=."
        raise NotEnoughCreditsError(
            f"The sweep costs {_credits(cost)}, one a point; {_left(left)}.",
            hint=f"Nothing was sent. {drop if left > 0 else 'The next month brings more credits, or a pack does.'}",
        )


def warn_of_credits(cost: int, account: Account) -> None:
    """Warn where a run that goes on will stop before its end: what is paid for is collected all the same."""
    left = account.limits.total_remaining
    if left is not None and cost > left:
        warn(SweepWarning(f"{_credits(cost)} would be needed to the end and {_left(left)}; it goes so far."))


def check_account(began: Began, account: Account, base_url: str) -> None:
    """Refuse to go on with a run of another account.

    Raises
    ------
    ParameterError
        Nothing was sent.
    """
    if began.account is not None and account.id != began.account:
        raise ParameterError(
            f"The run {began.name!r} belongs to the account {began.account} at {began.base_url}; this client's is "
            f"{account.id} at {base_url}.",
            parameter="client",
            hint="Nothing was sent. Connect as that account, or run the sweep anew under another name.",
        )


def _left(count: int) -> str:
    return "none is left" if count < 1 else f"{count:,} {'is' if count == 1 else 'are'} left"


def _credits(count: int) -> str:
    return f"{count:,} credit{'' if count == 1 else 's'}"
