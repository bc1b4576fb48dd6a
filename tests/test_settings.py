from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest

from finetuning import settings
from finetuning.errors import FinetuningWarning, SettingsError
from finetuning.keys import ApiKey

KEY = "ft_live_" + "0123456789abcdef" * 2
OTHER = "ft_live_" + "f" * 32
THIRD = "ft_live_" + "3" * 32


def write(home: Path, name: str, content: bytes | str) -> Path:
    path = home / "config" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)
    return path


def test_without_a_file_there_are_defaults() -> None:
    found = settings.load()
    assert (found.base_url, found.default_duration, found.default_bpm) == ("https://pub.finetuning.ai", None, None)


@pytest.mark.parametrize("lead", [b"", b"\xef\xbb\xbf"])
def test_the_file_says_what_it_says(home: Path, lead: bytes) -> None:
    write(
        home,
        "config.json",
        lead + b'{"baseUrl": "https://example.com", "defaultDuration": 30, "defaultBpm": 90, "new": 1}',
    )
    found = settings.load()
    assert (found.base_url, found.default_duration, found.default_bpm) == ("https://example.com", 30, 90)


def test_another_file_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"defaultBpm": 70}')
    assert settings.load(path).default_bpm == 70
    assert settings.load(tmp_path / "none.json") == settings.Settings()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{\n  "baseUrl": "https://example.com",\n  "defaultBpm": 90,\n}', "line 4, column 1: not JSON"),
        ('{"defaultBpm": 90', "line 1, column 18: not JSON"),
        ("", "line 1, column 1: not JSON"),
        (b'{\n\n"baseUrl": "\xff"}', "line 3: not JSON"),
        ('{"defaultBpm": NaN}', "line 1: not JSON"),
        ('{"defaultBpm": "fast"}', r"Expected `int | null`, got `str` - at `\$.defaultBpm`"),
        ('{"defaultDuration": 30.5}', r"\$.defaultDuration"),
        ("[]", "Expected `object`"),
        ('{"baseUrl": "example.com"}', "not an http"),
        ('{"defaultBpm": 90,\n"baseUrl": "http://example.com"}', "line 2: .*unencrypted"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_place(home: Path, content: bytes | str, why: str) -> None:
    path = write(home, "config.json", content)
    with pytest.raises(SettingsError, match=why) as caught:
        settings.load()
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_a_file_that_cannot_be_read_is_named(home: Path) -> None:
    path = home / "config" / "config.json"
    path.mkdir(parents=True)
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        settings.load()


def test_folders_follow_the_environment_or_the_system(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    assert settings.config_dir() == home / "config"
    assert settings.data_dir() == home / "data"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FINETUNING_CONFIG_HOME", "~/c")
    monkeypatch.setenv("FINETUNING_DATA_HOME", "~/d")
    assert (settings.config_dir(), settings.data_dir()) == (home / "c", home / "d")
    for name in ("FINETUNING_CONFIG_HOME", "FINETUNING_DATA_HOME"):
        monkeypatch.setenv(name, "")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xc"))
        monkeypatch.setenv("XDG_DATA_HOME", str(home / "xd"))
        assert settings.config_dir() == home / "xc" / "finetuning"
        assert settings.data_dir() == home / "xd" / "finetuning"
    assert settings.config_dir().name == settings.data_dir().name == "finetuning"


# The key


def test_no_key_anywhere_is_no_error() -> None:
    assert settings.find_key() is None


def test_the_environment_comes_first_then_the_keychain_then_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch, keychain: Any
) -> None:
    write(home, "credentials", f"  {THIRD}\n")
    assert settings.find_key() == ApiKey(THIRD)
    keychain.set_password("finetuning", "default", OTHER)
    assert settings.find_key() == ApiKey(OTHER)
    monkeypatch.setenv("FINETUNING_API_KEY", f" {KEY} ")
    assert settings.find_key() == ApiKey(KEY)
    monkeypatch.setenv("FINETUNING_API_KEY", "  ")
    assert settings.find_key() == ApiKey(OTHER)


@pytest.mark.parametrize(
    "stored",
    [
        KEY,
        "go-keyring-base64:" + base64.b64encode(KEY.encode()).decode(),
        "go-keyring-encoded:" + KEY.encode().hex(),
    ],
)
def test_what_the_command_stored_is_read(keychain: Any, stored: str) -> None:
    keychain.set_password("finetuning", "default", stored)
    assert settings.find_key() == ApiKey(KEY)


@pytest.mark.parametrize(
    "stored", ["go-keyring-base64:@@", "go-keyring-base64:/w==", "go-keyring-encoded:zz", "go-keyring-encoded:ff"]
)
def test_a_damaged_keychain_is_told(keychain: Any, stored: str) -> None:
    keychain.set_password("finetuning", "default", stored)
    with pytest.raises(SettingsError, match=r"In the keychain: What is stored there is damaged\.") as caught:
        settings.find_key()
    assert "ft auth login" in str(caught.value)


def test_whoever_sets_the_variable_is_not_asked_for_the_keychain(
    monkeypatch: pytest.MonkeyPatch, keychain: Any
) -> None:
    keychain.set_password("finetuning", "default", "go-keyring-base64:@@")
    monkeypatch.setenv("FINETUNING_API_KEY", KEY)
    assert settings.find_key() == ApiKey(KEY)


class Broken(keyring.backend.KeyringBackend):
    priority = 1.0

    def __init__(self, problem: Exception) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring leaves it untyped
        self.problem = problem

    def get_password(self, service: str, username: str) -> str | None:
        raise self.problem

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.problem


@pytest.mark.parametrize(
    "problem",
    [keyring.errors.KeyringLocked("locked"), keyring.errors.InitError("dbus"), OSError("bus"), KeyError("what")],
)
def test_a_keychain_that_cannot_be_read_is_told_and_passed_by(home: Path, problem: Exception) -> None:
    keyring.set_keyring(Broken(problem))
    write(home, "credentials", KEY)
    with pytest.warns(FinetuningWarning, match=rf"The keychain cannot be read \({type(problem).__name__}\)"):
        assert settings.find_key() == ApiKey(KEY)


def test_a_machine_without_a_keychain_is_no_matter(home: Path) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]  # likewise
    assert settings.find_key() is None
    write(home, "credentials", KEY)
    assert settings.find_key() == ApiKey(KEY)


@pytest.mark.parametrize(
    ("content", "why"),
    [("nonsense", "not an API key"), (b"\xff\xfek\x00", "UnicodeDecodeError"), (f"{KEY}\n{KEY}", "73")],
)
def test_a_plaintext_file_that_holds_no_key_is_named(home: Path, content: bytes | str, why: str) -> None:
    path = write(home, "credentials", content)
    with pytest.raises(SettingsError, match=why) as caught:
        settings.find_key()
    assert f"In {path}:" in str(caught.value)


def test_a_plaintext_file_as_editors_on_windows_write_it(home: Path) -> None:
    write(home, "credentials", b"\xef\xbb\xbf" + KEY.encode() + b"\r\n")
    assert settings.find_key() == ApiKey(KEY)


def test_a_plaintext_file_that_cannot_be_opened_is_named(home: Path) -> None:
    (home / "config" / "credentials").mkdir(parents=True)
    with pytest.raises(SettingsError, match="IsADirectoryError" if os.name != "nt" else "PermissionError"):
        settings.find_key()
