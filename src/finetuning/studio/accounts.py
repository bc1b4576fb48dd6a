"""Accounts, their keys, and the ledger of credits."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from uuid import uuid4

from .limits import Limits, month

__all__ = ["Account", "Balance", "again", "balance", "by_key", "by_role", "charge", "create", "key_of", "update"]


@dataclass(frozen=True)
class Account:
    """One account; `monthly_credits` is None where its tier decides."""

    id: str
    role: str
    email: str
    name: str
    tier: str
    monthly_credits: int | None
    pack_credits: int
    deleted: bool


@dataclass(frozen=True)
class Balance:
    """What an account may spend, in credits, and what it spent this month."""

    monthly: int
    used: int
    pack: int

    @property
    def monthly_remaining(self) -> int:
        """Left of this month's credits; never negative, even after a tier was lowered."""
        return max(0, self.monthly - self.used)

    @property
    def total(self) -> int:
        """Left in all."""
        return self.monthly_remaining + self.pack


COLUMNS = "a.id, a.role, a.email, a.name, a.tier, a.monthly_credits, a.pack_credits, a.deleted"


def _account(row: sqlite3.Row | None) -> Account | None:
    return None if row is None else Account(**{**row, "deleted": bool(row["deleted"])})


def by_key(connection: sqlite3.Connection, key: str) -> Account | None:
    """Find the account that a key belongs to."""
    return _account(
        connection.execute(
            f"SELECT {COLUMNS} FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.key = ?",  # noqa: S608 - a constant
            (key,),
        ).fetchone()
    )


def by_role(connection: sqlite3.Connection, role: str) -> Account | None:
    """Find the user's own account (`user`) or the studio's (`house`)."""
    return _account(
        connection.execute(f"SELECT {COLUMNS} FROM accounts a WHERE a.role = ?", (role,)).fetchone()  # noqa: S608 - a constant
    )


def again(connection: sqlite3.Connection, account: Account) -> Account:
    """Read an account again, under a lock that it was not read under before."""
    row = connection.execute(f"SELECT {COLUMNS} FROM accounts a WHERE a.id = ?", (account.id,)).fetchone()  # noqa: S608 - a constant
    return _account(row) or account


def create(connection: sqlite3.Connection, role: str, name: str) -> Account:
    """Open an account with a key of its own."""
    account = Account(str(uuid4()), role, f"{role}@studio.localhost", name, "pro", None, 0, False)
    connection.execute(
        "INSERT INTO accounts (id, role, email, name, tier) VALUES (?, ?, ?, ?, ?)",
        (account.id, role, account.email, name, account.tier),
    )
    connection.execute("INSERT INTO api_keys VALUES (?, ?)", (f"ft_live_{secrets.token_hex(16)}", account.id))
    return account


def key_of(connection: sqlite3.Connection, account: Account) -> str:
    """Look up the key of an account."""
    row = connection.execute("SELECT key FROM api_keys WHERE account_id = ?", (account.id,)).fetchone()
    return str(row["key"])


def update(connection: sqlite3.Connection, account: Account) -> None:
    """Write back what may change of an account."""
    connection.execute(
        "UPDATE accounts SET tier = ?, monthly_credits = ?, pack_credits = ?, deleted = ? WHERE id = ?",
        (account.tier, account.monthly_credits, account.pack_credits, account.deleted, account.id),
    )


def balance(connection: sqlite3.Connection, account: Account, limits: Limits, now: float) -> Balance:
    """Count what is left, from the ledger."""
    used: int = connection.execute(
        "SELECT count(*) FROM spending WHERE account_id = ? AND source = 'month' AND month = ?",
        (account.id, month(now)),
    ).fetchone()[0]
    monthly = limits.monthly[account.tier] if account.monthly_credits is None else account.monthly_credits
    return Balance(monthly, used, account.pack_credits)


def charge(connection: sqlite3.Connection, account: Account, state: Balance, generation_id: str, now: float) -> int:
    """Spend one credit, this month's before the pack's; the caller has seen that there is one.

    Returns
    -------
    int
        Credits that remain.
    """
    source = "month" if state.monthly_remaining else "pack"
    connection.execute(
        "INSERT INTO spending (account_id, generation_id, source, month) VALUES (?, ?, ?, ?)",
        (account.id, generation_id, source, month(now)),
    )
    if source == "pack":
        connection.execute("UPDATE accounts SET pack_credits = pack_credits - 1 WHERE id = ?", (account.id,))
    return state.total - 1
