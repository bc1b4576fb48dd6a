"""What is checked before a run begins or goes on, while nothing is spent yet."""

from __future__ import annotations

from finetuning.errors import NotEnoughCreditsError, ParameterError, SweepWarning
from finetuning.notices import warn
from finetuning.parameters import whole
from finetuning.records import Account

from .events import Began

__all__ = ["check_account", "check_at_once", "check_credits", "warn_of_credits"]


def check_at_once(at_once: object) -> int:
    """Check how many generations may be in flight."""
    number = whole("at_once", at_once)
    if number < 1:
        raise ParameterError(f"at_once={number} is not 1 or more.", parameter="at_once", value=at_once)
    return number


def check_credits(cost: int, account: Account) -> None:
    """Refuse a sweep that costs more than is left, where the service says what is.

    Raises
    ------
    NotEnoughCreditsError
        Nothing was sent.
    """
    left = account.limits.total_remaining
    if left is not None and cost > left:
        raise NotEnoughCreditsError(
            f"The sweep costs {_credits(cost)}, one a point; {left:,} are left.",
            hint=f"Nothing was sent. Drop {cost - left:,} points or more: fewer seeds, wider steps, or where=.",
        )


def warn_of_credits(cost: int, account: Account) -> None:
    """Warn where a run that goes on will stop before its end: what is paid for is collected all the same."""
    left = account.limits.total_remaining
    if left is not None and cost > left:
        warn(SweepWarning(f"{_credits(cost)} would be needed to the end and {left:,} are left; it goes so far."))


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


def _credits(count: int) -> str:
    return f"{count:,} credit{'' if count == 1 else 's'}"
