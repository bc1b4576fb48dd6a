"""Storing the key, and forgetting it: in the system's keychain, or in a file where there is none.

What is stored in the keychain is the key as it is, which the existing Go command reads too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from finetuning.errors import SettingsError
from finetuning.keys import ApiKey
from finetuning.replacement import replacing
from finetuning.settings import KEYCHAIN_ACCOUNT, KEYCHAIN_SERVICE, config_dir

__all__ = ["Place", "forget", "store"]

_NAMES: Final = {
    "macOS": "macOS Keychain",
    "Windows": "Windows Credential Manager",
    "SecretService": "Secret Service",
    "libsecret": "Secret Service",
    "kwallet": "KWallet",
}
Place = str


def store(key: ApiKey) -> tuple[Place, bool]:
    """Store the key, in place of one that was stored before.

    Returns
    -------
    place, plain
        Where it is now, and whether it is there in plain text.

    Raises
    ------
    SettingsError
        The keychain refused, or the file cannot be written.
    """
    backend = _keychain()
    path = config_dir() / "credentials"
    if backend is None:
        _write(path, key)
        return str(path), True
    _asked(lambda: backend.set_password(KEYCHAIN_SERVICE, KEYCHAIN_ACCOUNT, key.reveal()))
    _remove(path)  # an older key in plain text helps nobody
    return _name(backend), False


def forget() -> list[Place]:
    """Remove the key from the keychain and from the file.

    Returns
    -------
    list of str
        Where there was one.

    Raises
    ------
    SettingsError
        The keychain refused, or the file cannot be removed.
    """
    places = []
    backend = _keychain()
    if backend is not None and _asked(lambda: backend.get_password(KEYCHAIN_SERVICE, KEYCHAIN_ACCOUNT)) is not None:
        _asked(lambda: backend.delete_password(KEYCHAIN_SERVICE, KEYCHAIN_ACCOUNT))
        places.append(_name(backend))
    path = config_dir() / "credentials"
    if _remove(path):
        places.append(str(path))
    return places


def _keychain() -> Any:
    """Return the keychain; None where there is none, or one that keeps nothing."""
    import keyring

    backend = keyring.get_keyring()
    return backend if backend.priority > 0 else None


def _name(backend: Any) -> str:
    return _NAMES.get(type(backend).__module__.rpartition(".")[2], str(backend.name))


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as problem:  # noqa: BLE001 - backends raise what the system's libraries do
        kind = type(problem).__name__
    raise SettingsError(f"The keychain refused ({kind}).", hint="Unlock it, or set FINETUNING_API_KEY instead.")


def _write(path: Path, key: ApiKey) -> None:
    """Write the file whole or not at all, readable by its owner alone from its first moment."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix" and path.parent.stat().st_mode & 0o077:
            path.parent.chmod(0o700)
        with replacing(path) as file:
            file.write(f"{key.reveal()}\n".encode())
    except OSError as problem:
        raise SettingsError(
            f"{path} cannot be written: {problem.strerror}.", hint="Or set FINETUNING_API_KEY instead."
        ) from None


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as problem:
        raise SettingsError(f"{path} cannot be removed: {problem.strerror}.") from None
    return True
