"""Which folder is whose: one for each account of each service, under names that hold no key."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from finetuning import settings
from finetuning.addresses import is_loopback
from finetuning.errors import LibraryError
from finetuning.keys import ApiKey

from .files import write_atomically

__all__ = ["Identity", "find", "folder_of", "identity_of", "known", "opened", "sign"]

_IDENTITY = "account.json"


class Identity(msgspec.Struct, rename="camel"):
    """Whose library a folder holds: `account.json`.

    Attributes
    ----------
    service
        The folder's name for the service.
    account
        The account's id.
    keys
        Digests of the keys that were seen to be the account's, so that they find the folder without a connection.
        A key is 128 random bits: its digest opens nothing and leads back to nothing.
    """

    service: str
    account: str
    keys: list[str] = []


def _root() -> Path:
    return settings.data_dir() / "library"


def _service_of(base_url: str) -> str:
    """Name a service. On this machine the port says nothing: the studio takes any that is free."""
    parts = urlsplit(base_url)
    if is_loopback(parts.hostname):
        return "localhost"
    return _slug(f"{parts.netloc}{parts.path}".strip("/"))


def _slug(text: str) -> str:
    """Turn any text into a name of a folder; two that would become the same one are told apart."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:80]
    return plain if plain == text else f"{plain}-{_digest(text)[:8]}".strip("-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _mark_of(key: ApiKey) -> str:
    return _digest(f"finetuning library {key.reveal()}")


def known() -> list[Path]:
    """Return the folders of all libraries on this machine."""
    return sorted(path.parent for path in _root().glob(f"*/*/{_IDENTITY}"))


def identity_of(folder: Path) -> Identity | None:
    """Read whose library a folder holds; None where it does not say.

    Raises
    ------
    LibraryError
        What stands there cannot be read.
    """
    path = folder / _IDENTITY
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise LibraryError(
            f"{path} is damaged.", hint="Remove that file alone; the next sync writes it again."
        ) from None
    except OSError as problem:
        raise LibraryError(f"{path} cannot be read: {problem.strerror}.") from None


def find(base_url: str, key: ApiKey | None) -> Path | None:
    """Find the folder of the account that a key was seen to belong to; None where it was not seen."""
    if key is None:
        return None
    service, mark = _service_of(base_url), _mark_of(key)
    return next((folder for folder, who in _identities() if who.service == service and mark in who.keys), None)


def _identities() -> Iterator[tuple[Path, Identity]]:
    for folder in known():
        who = identity_of(folder)
        if who is not None:
            yield folder, who


def folder_of(base_url: str, account: str) -> Path:
    """Return the folder of an account, made if missing.

    Raises
    ------
    LibraryError
        It cannot be made.
    """
    folder = _root() / _service_of(base_url) / _slug(account)
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as problem:
        raise LibraryError(
            f"{folder} cannot be made: {problem.strerror}.",
            hint="FINETUNING_DATA_HOME names another folder for such data.",
        ) from None
    return folder


def sign(folder: Path, base_url: str, account: str, key: ApiKey | None) -> None:
    """Write down whose folder it is and that the key is the account's. Who calls this holds the folder's lock."""
    there = identity_of(folder)
    who = there or Identity(_service_of(base_url), account)
    mark = None if key is None else _mark_of(key)
    if mark is not None and mark not in who.keys:
        who.keys = [*who.keys, mark]
    elif there is not None:
        return
    write_atomically(folder / _IDENTITY, msgspec.json.format(msgspec.json.encode(who)))


def opened(where: str | os.PathLike[str] | None) -> Path:
    """Find a library by its account's id or by its folder; by nothing where there is only one.

    Raises
    ------
    LibraryError
        There is none, or more than one; the message names those that there are.
    """
    folders = known()
    found = folders
    if where is not None:
        found = [path for path, who in _identities() if who.account == str(where)]
        named = os.path.expanduser(where)  # noqa: PTH111 - it may be an id that is no path at all
        if not found and os.path.isdir(named):  # noqa: PTH112 - likewise
            return Path(named).absolute()
    if len(found) == 1:
        return found[0]
    shown = "; ".join(str(path) for path in folders)
    what = "no library" if where is None else f"no library of {str(where)!r}"
    raise LibraryError(
        f"There are {len(found)} libraries on this machine." if found else f"There is {what} on this machine.",
        hint=f"Name one of these folders: {shown}" if shown else "Make one: ft.connect().library.sync().",
    )
