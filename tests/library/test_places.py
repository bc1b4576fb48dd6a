"""Whose library is where, how it is found without a connection, and that no key is in it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import finetuning as ft
from finetuning.errors import LibraryError, MissingExtraError
from finetuning.keys import ApiKey
from finetuning.library import Library, places

from .conftest import Archive

KEY = ApiKey("ft_live_" + "0123456789abcdef" * 2)
OTHER = ApiKey("ft_live_" + "fedcba9876543210" * 2)
HOSTED = "https://pub.finetuning.ai"


def signed(url: str, account: str, key: ApiKey | None) -> Path:
    folder = places.folder_of(url, account)
    places.sign(folder, url, account, key)
    return folder


def test_the_frames_need_no_connection_nor_a_client(archive: Archive, home: Path) -> None:
    archive.studio.backfill(20)
    archive.library.sync()
    folder = archive.library.path
    archive.close()
    opened = Library.open()
    assert opened.path == folder
    assert folder.is_relative_to(home / "data" / "library")
    assert len(opened.generations()) == 20
    assert set(opened.playlist_tracks().playlist_id) == set(opened.playlists().id)
    assert len(opened.accounts()) == 1
    assert repr(opened) == f"Library({str(folder)!r})"
    with ft.Client(archive.studio.api_key, archive.studio.url, progress=False) as client:
        assert client.library.path == folder
        assert len(client.library.generations()) == 20


def test_before_the_first_sync_it_says_what_to_do(archive: Archive) -> None:
    with pytest.raises(LibraryError, match=r"Nothing of http.* is kept for this key yet") as caught:
        archive.client.library.generations()
    assert "client.library.sync()" in str(caught.value)
    assert "not synced yet" in repr(archive.client.library)
    with pytest.raises(LibraryError, match="Nothing of"):
        _ = archive.client.library.path


def test_a_studio_that_moves_to_another_port_keeps_its_library(archive: Archive, tmp_path: Path) -> None:
    archive.add(3)
    archive.library.sync()
    archive.close()
    with (
        ft.studio.Studio(tmp_path / "studio", workers=0) as again,
        ft.Client(again.api_key, again.url, progress=False) as client,
    ):
        assert again.url != archive.studio.url
        assert client.library.sync().new == 0


def test_two_accounts_have_two_libraries(open_archive: Callable[..., Archive]) -> None:
    first, second = open_archive("one"), open_archive("two")
    first.add(3)
    second.add(5)
    first.library.sync()
    second.library.sync()
    assert first.library.path != second.library.path
    assert (len(first.library.generations()), len(second.library.generations())) == (3, 5)
    with pytest.raises(LibraryError, match="There are 2 libraries on this machine") as caught:
        Library.open()
    assert str(first.library.path) in str(caught.value)
    assert len(Library.open(first.client.me().id).generations()) == 3
    assert len(Library.open(second.library.path).generations()) == 5


def test_no_key_is_in_a_name_or_a_file(archive: Archive) -> None:
    archive.add(3)
    archive.library.sync()
    secret = archive.studio.api_key.removeprefix("ft_live_")
    for path in [archive.library.path, *archive.library.path.rglob("*")]:
        assert secret not in str(path)
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
    assert secret not in repr(archive.client.library)


def test_another_key_of_the_account_finds_it_once_it_was_used() -> None:
    folder = signed(HOSTED, "usr_1", KEY)
    assert places.find(HOSTED, KEY) == folder
    assert places.find(HOSTED, OTHER) is None
    assert signed(HOSTED, "usr_1", OTHER) == folder
    assert places.find(HOSTED, OTHER) == places.find(HOSTED, KEY) == folder
    assert places.find(HOSTED, None) is None
    assert places.find("https://example.com", KEY) is None


@pytest.mark.parametrize("account", ["usr_1", "a/../../b", "..", "Zoë 1", "x" * 300, "CON/aux", "."])
def test_any_id_is_one_folder_below_its_service(account: str, home: Path) -> None:
    folder = signed(HOSTED, account, None)
    assert folder.parent == home / "data" / "library" / "pub.finetuning.ai"
    assert folder.resolve() == folder
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,100}", folder.name)
    assert Library.open(account).path == folder
    assert signed(HOSTED, account, None) == folder


def test_ids_and_services_that_look_alike_are_kept_apart() -> None:
    folders = {
        signed(url, account, None)
        for url in (HOSTED, "https://pub.finetuning.ai:8443", "https://pub.finetuning.ai/a", "http://127.0.0.1:1")
        for account in ("a b", "a-b", "a/b")
    }
    assert len(folders) == 12
    assert signed("http://localhost:2", "a-b", None) == signed("http://127.0.0.1:1", "a-b", None)


def test_what_is_not_there_is_said_with_what_is() -> None:
    with pytest.raises(LibraryError, match="There is no library on this machine") as caught:
        Library.open()
    assert "ft.connect().library.sync()" in str(caught.value)
    folder = signed(HOSTED, "usr_1", KEY)
    with pytest.raises(LibraryError, match="no library of 'usr_2'") as caught:
        Library.open("usr_2")
    assert str(folder) in str(caught.value)


def test_an_empty_folder_is_a_library_without_a_row(tmp_path: Path) -> None:
    opened = Library.open(tmp_path)
    for frame in (opened.generations(), opened.playlists(), opened.playlist_tracks(), opened.accounts()):
        assert frame.empty
    assert "gone_at" in opened.generations(gone=True)
    assert str(opened.playlist_tracks()["position"].dtype) == "Int64"
    assert str(opened.accounts()["at"].dtype) == "datetime64[ns, UTC]"


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"service": 1}', b"\xff"])
def test_a_damaged_account_file_is_named(content: bytes) -> None:
    path = signed(HOSTED, "usr_1", KEY) / "account.json"
    path.write_bytes(content)
    with pytest.raises(LibraryError, match="is damaged") as caught:
        places.find(HOSTED, KEY)
    assert str(path) in str(caught.value)
    path.unlink()
    assert signed(HOSTED, "usr_1", KEY) == path.parent


def test_an_account_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "account.json").mkdir()
    with pytest.raises(LibraryError, match="cannot be read"):
        places.identity_of(tmp_path)
    assert places.identity_of(tmp_path / "nothing") is None


def test_a_data_folder_that_cannot_be_used_is_named(archive: Archive, home: Path) -> None:
    (home / "data").write_text("in the way")
    with pytest.raises(LibraryError, match="cannot be made") as caught:
        archive.client.library.sync()
    assert "FINETUNING_DATA_HOME" in str(caught.value)


def test_a_folder_that_cannot_be_written_is_named(archive: Archive) -> None:
    archive.library.sync()
    folder = archive.library.path
    (folder / ".lock").unlink()
    (folder / ".lock").mkdir()
    with pytest.raises(LibraryError, match=r"\.lock cannot be opened"):
        archive.library.sync()


def test_an_account_file_that_cannot_be_written_is_named() -> None:
    folder = places.folder_of(HOSTED, "usr_1")
    (folder / ".account.json.new").mkdir()
    with pytest.raises(LibraryError, match=r"account\.json cannot be written"):
        places.sign(folder, HOSTED, "usr_1", KEY)


def test_without_pyarrow_it_names_the_extra(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sync() -> Any:
        async with ft.AsyncClient(archive.studio.api_key, archive.studio.url) as client:
            return await client.library.sync()

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for attempt in (archive.client.library.sync, Library(".").generations, lambda: asyncio.run(sync())):
        with pytest.raises(MissingExtraError, match=r"pyarrow\) is not installed") as caught:
            attempt()
        assert "pip install 'finetuning[analysis]'" in str(caught.value)
