"""Where settings, data and the key are kept, and how they are found."""

from __future__ import annotations

import base64
import codecs
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from finetuning import notices
from finetuning.addresses import base_url_of
from finetuning.errors import FinetuningWarning, SettingsError
from finetuning.keys import ApiKey, claim

__all__ = [
    "HOSTED_URL",
    "KEYCHAIN_ACCOUNT",
    "KEYCHAIN_SERVICE",
    "Settings",
    "config_dir",
    "data_dir",
    "find_key",
    "load",
]

HOSTED_URL: Final = "https://pub.finetuning.ai"
#: Where the existing command keeps the key in the operating system's keychain.
KEYCHAIN_SERVICE: Final = "finetuning"
KEYCHAIN_ACCOUNT: Final = "default"
#: How it encodes what it stores there on macOS, behind which prefix.
_ENCODINGS: Final[dict[str, Callable[[str], bytes]]] = {
    "go-keyring-base64:": functools.partial(base64.b64decode, validate=True),
    "go-keyring-encoded:": bytes.fromhex,
}


class Settings(msgspec.Struct, frozen=True, rename="camel"):
    """What `config.json` may say.

    Attributes
    ----------
    base_url
        The service.
    default_duration
        Seconds; used where a generation names none. None leaves it to the service (60 s).
    default_bpm
        Likewise (120).
    """

    base_url: str = HOSTED_URL
    default_duration: int | None = None
    default_bpm: int | None = None


def config_dir() -> Path:
    """Return the folder of `config.json`: `FINETUNING_CONFIG_HOME`, else the system's place for such files."""
    named = os.environ.get("FINETUNING_CONFIG_HOME")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_config_path("finetuning", appauthor=False, roaming=True)


def data_dir() -> Path:
    """Return the folder of sweeps and of the studio: `FINETUNING_DATA_HOME`, else the user's data folder."""
    named = os.environ.get("FINETUNING_DATA_HOME")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_data_path("finetuning", appauthor=False)


def load(path: Path | None = None) -> Settings:
    """Read `config.json`; a missing file means the defaults.

    Raises
    ------
    SettingsError
        The file cannot be read, is not JSON (the message names the line), or a value is of the wrong type.
    """
    path = path or config_dir() / "config.json"
    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)  # as some editors on Windows write it
    except FileNotFoundError:
        return Settings()
    except OSError as problem:
        raise SettingsError(f"{path} cannot be read: {problem.strerror}.") from None
    try:
        settings = msgspec.json.decode(content, type=Settings)
        base_url_of(settings.base_url)
        return settings
    except SettingsError as problem:
        raise SettingsError(
            f"{path}, line {_line_of(content, 'baseUrl')}: {problem.message}", hint=problem.hint
        ) from None
    except msgspec.ValidationError as problem:
        name = str(problem).rstrip("`").partition(" - at `$.")[2]
        raise SettingsError(
            f"{path}, line {_line_of(content, name) if name else 1}: {problem}.",
            hint='It holds, for example: {"defaultDuration": 60, "defaultBpm": 120}',
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SettingsError(
            f"{path}, {_where(content)}: not JSON.", hint="Mend that line, or remove the file."
        ) from None


def _line_of(content: bytes, name: str) -> int:
    return content.count(b"\n", 0, max(content.find(f'"{name}"'.encode()), 0)) + 1


def _where(content: bytes) -> str:
    import json

    try:
        json.loads(content)
    except json.JSONDecodeError as problem:
        return f"line {problem.lineno}, column {problem.colno}"
    except UnicodeDecodeError as problem:
        return "line " + str(content.count(b"\n", 0, problem.start) + 1)
    return "line 1"


def find_key() -> ApiKey | None:
    """Return the key of `FINETUNING_API_KEY`, else of the keychain, else of the plaintext file, else None.

    Raises
    ------
    SettingsError
        What is stored is not a key; the message says where, and does not repeat it.
    """
    # One after the other: whoever sets the variable is not asked to unlock a keychain.
    places: dict[str, Callable[[], str | None]] = {
        "FINETUNING_API_KEY": lambda: os.environ.get("FINETUNING_API_KEY"),
        "the keychain": _from_keychain,
        str(config_dir() / "credentials"): _from_file,
    }
    for where, read in places.items():
        key, problem = _claimed(read)
        if problem:
            raise SettingsError(f"In {where}: {problem.message}", hint=problem.hint)
        if key:
            return key
    return None


def _claimed(read: Callable[[], str | None]) -> tuple[ApiKey | None, SettingsError | None]:
    """Read one place without raising: no frame that holds the text becomes part of a traceback."""
    try:
        return claim((read() or "").strip() or None)
    except SettingsError as problem:
        return None, problem.with_traceback(None)


def _from_keychain() -> str | None:
    import keyring
    import keyring.errors

    try:
        stored = keyring.get_password(KEYCHAIN_SERVICE, KEYCHAIN_ACCOUNT)
    except keyring.errors.NoKeyringError:
        return None
    except Exception as problem:  # noqa: BLE001 - backends raise what the system's libraries do
        # There may be a key in it, so going on without one must not go unnoticed.
        notices.warn(
            FinetuningWarning(f"The keychain cannot be read ({type(problem).__name__}); looking for a key elsewhere.")
        )
        return None
    return decode_stored(stored) if stored else None


def decode_stored(text: str) -> str:
    """Decode what the existing Go command stored: on macOS its values may be base64 or hexadecimal behind a prefix.

    Raises
    ------
    SettingsError
        A prefix, and behind it something that is not in that encoding.
    """
    for prefix, decode in _ENCODINGS.items():
        if text.startswith(prefix):
            try:
                return decode(text.removeprefix(prefix)).decode()
            except ValueError:  # binascii.Error and UnicodeDecodeError are, too
                break
    else:
        return text
    raise SettingsError("What is stored there is damaged.", hint="Store the key again: ft auth login.")


def _from_file() -> str | None:
    path = config_dir() / "credentials"
    try:
        text = path.read_text("utf-8-sig")
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"It cannot be read ({type(problem).__name__}).") from None
    if os.name == "posix" and mode & 0o077:
        notices.warn(FinetuningWarning(f"{path} can be read by others (mode {mode:03o}): chmod 600 '{path}'"))
    return text
