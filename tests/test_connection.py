from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import finetuning as ft
from finetuning import connection, errors

KEY = "ft_live_" + "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def studios() -> Iterator[None]:
    """Close what a test started."""
    before = set(connection._studios)
    yield
    for folder in set(connection._studios) - before:
        connection._studios.pop(folder)[0].close()


def test_without_a_key_it_is_the_studio_with_a_notice_of_one_line(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    with ft.connect(workers=0) as client:
        assert client.me().tier == "pro"
        assert client.studio.data_dir == home / "data" / "studio"
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        "No API key found: using the studio, a stand-in with a rule-based composer on this machine. "
        "ft.connect('hosted', api_key=…) reaches the service.\n"
    )


@pytest.mark.parametrize("place", ["studio", " Studio ", "STUDIO"])
def test_who_asks_for_the_studio_gets_it_without_a_notice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("FINETUNING_API_KEY", KEY)
    with ft.connect(place, workers=0) as client:
        assert client.base_url == client.studio.url
    assert capsys.readouterr().err == ""


def test_a_key_that_is_found_means_the_hosted_service(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINETUNING_API_KEY", KEY)
    with ft.connect() as client:
        assert repr(client) == "Client('https://pub.finetuning.ai', ApiKey('ft_live_0123...****'))"
        assert client.studio is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("place", [None, "hosted", "https://pub.finetuning.ai/v1/"])
@pytest.mark.parametrize("key", [KEY, f" {KEY}\n", ft.ApiKey(KEY)])
def test_a_key_that_is_given_is_used(place: str | None, key: Any) -> None:
    with ft.connect(place, api_key=key) as client:
        assert repr(client) == "Client('https://pub.finetuning.ai', ApiKey('ft_live_0123...****'))"


def test_a_key_that_is_given_comes_before_one_that_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINETUNING_API_KEY", "ft_live_" + "f" * 32)
    with ft.connect(api_key=KEY) as client:
        assert "ft_live_0123" in repr(client)


def test_the_configured_service_is_the_hosted_one(home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.json").write_text('{"baseUrl": "https://example.com"}')
    for place in (None, "hosted"):
        with ft.connect(place, api_key=KEY) as client:
            assert client.base_url == "https://example.com"


def test_a_url_is_a_place(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    host.answer = lambda handler: host.send(handler, 200, b'{"data": {"id": "usr_1"}}')
    monkeypatch.setenv("FINETUNING_API_KEY", KEY)
    with ft.connect(host.url, progress=False, policy=ft.Policy(retries=0)) as client:
        assert client.me().id == "usr_1"
    assert host.seen[0][2]["X-API-Key"] == KEY


@pytest.mark.parametrize(
    ("arguments", "why", "hint"),
    [
        (("hosted",), "No API key was given or found for https://pub.finetuning.ai", "FINETUNING_API_KEY"),
        (("https://example.com",), "No API key was given or found for https://example.com", "ft.connect('studio')"),
        (("moon",), "'moon' is not a place to connect to", "'hosted', 'studio', or a URL"),
        (("pub.finetuning.ai",), "is not a place", "https://pub.finetuning.ai"),
        (("",), "'' is not a place", "'hosted'"),
        ((KEY,), "'ft_live_0123...****' is not a place", "api_key="),
        ((5,), "text, not int", "'hosted'"),
        ((ft.ApiKey(KEY),), "text, not ApiKey", "'hosted'"),
        (("ftp://example.com",), "not an http", "https://"),
        (("http://example.com",), "unencrypted", "https://example.com"),
        (("https://u:p@example.com",), "no user name", "https://"),
    ],
)
def test_a_place_that_is_none_is_refused_with_a_word_of_advice(arguments: Any, why: str, hint: str) -> None:
    with pytest.raises(errors.SettingsError) as caught:
        ft.connect(*arguments)
    assert why in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("place", [None, "hosted", "studio", "https://example.com"])
@pytest.mark.parametrize("key", ["", "nonsense", KEY[:-1], 5, KEY.encode()])
def test_a_key_of_another_shape_is_refused_wherever_it_leads(place: str | None, key: Any) -> None:
    with pytest.raises(errors.SettingsError, match="That is not an API key"):
        ft.connect(place, api_key=key)


def test_the_studio_takes_no_key() -> None:
    with pytest.raises(errors.SettingsError, match="key of its own"):
        ft.connect("studio", api_key=KEY)


@pytest.mark.parametrize("place", [None, "hosted", "https://example.com"])
def test_options_of_the_studio_are_not_ignored_elsewhere(place: str | None) -> None:
    with pytest.raises(errors.SettingsError, match="data_dir, limits: only the studio takes this"):
        ft.connect(place, api_key=KEY, limits="local", data_dir="x")


# One studio a folder


def test_clients_of_one_process_share_a_studio() -> None:
    with ft.connect("studio", workers=0) as one, ft.connect("studio") as two, ft.connect("studio", workers=0) as three:
        assert one.studio is two.studio is three.studio
        id_ = one.generate("lofi", wait=False).id
        assert two.generation(id_).id == id_


def test_another_folder_is_another_studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with ft.connect("studio", workers=0) as one, ft.connect("studio", data_dir=tmp_path / "a", workers=0) as two:
        assert one.studio is not two.studio
        assert ft.connect("studio", data_dir="~/a").studio is two.studio
        assert ft.connect("studio", data_dir=str(tmp_path / "b" / ".." / "a")).studio is two.studio


def test_a_studio_that_was_closed_is_started_again() -> None:
    first = ft.connect("studio", workers=0)
    first.studio.close()
    first.close()
    with ft.connect("studio", workers=0) as second:
        assert second.studio is not first.studio
        assert second.me().tier == "pro"


@pytest.mark.parametrize("other", [{"limits": "hosted"}, {"tier": "free"}, {"workers": 1}])
def test_options_that_a_running_studio_does_not_have_are_not_ignored(other: dict[str, Any]) -> None:
    with ft.connect("studio", workers=0):
        with pytest.raises(errors.SettingsError, match=f"running already, with other options than {next(iter(other))}"):
            ft.connect("studio", **other)
        ft.connect("studio", limits="local").close()


def test_an_option_that_no_studio_has_is_refused() -> None:
    with pytest.raises(errors.SettingsError, match="does not know lmits") as caught:
        ft.connect("studio", lmits="local")
    assert "limits" in (caught.value.hint or "")
    with pytest.raises(errors.StudioError, match="limits"):
        ft.connect("studio", limits="loose")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_studio_that_is_not_installed_names_the_command(missing: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None\nimport finetuning as ft\nft.connect('studio')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MissingExtraError: The studio" in done.stderr
    assert "pip install 'finetuning[studio]'" in done.stderr


def test_a_fault_of_ours_is_not_taken_for_a_missing_part() -> None:
    script = (
        "import sys; sys.modules['finetuning.studio.service'] = None\nimport finetuning as ft\nft.connect('studio')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "MissingExtraError" not in done.stderr
    assert "finetuning.studio.service" in done.stderr
