from __future__ import annotations

import pytest

from finetuning.addresses import base_url_of, is_loopback
from finetuning.errors import SettingsError

KEY = "ft_live_" + "0123456789abcdef" * 2


@pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", None, "localhost.example.com", "10.0.0.1", "0.0.0.0", "example.com", "::"])  # noqa: S104
def test_other_machines_are_not_this_one(host: str | None) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://pub.finetuning.ai", "https://pub.finetuning.ai"),
        (" https://pub.finetuning.ai/ ", "https://pub.finetuning.ai"),
        ("https://pub.finetuning.ai/v1/", "https://pub.finetuning.ai"),
        ("https://example.com:8443/music/v1", "https://example.com:8443/music"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("HTTPS://Example.com", "HTTPS://Example.com"),
    ],
)
def test_a_base_url_loses_slash_and_version(given: str, base: str) -> None:
    assert base_url_of(given) == base


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("pub.finetuning.ai", "not an http"),
        ("ftp://pub.finetuning.ai", "not an http"),
        ("https://", "not an http"),
        ("", "not an http"),
        ("https://exa mple.com", "not an http"),
        ("https://exa\nmple.com", "not an http"),
        ("https://good.com\\@evil.com", "not an http"),
        ("https://[::1", "not a URL"),
        ("https://x:99999", "not a URL"),
        ("https://x:port", "not a URL"),
        ("https://user:password@example.com", "no user name"),
        ("https://@example.com", "no user name"),
        ("https://example.com?", "query"),
        ("https://example.com?token=1", "query"),
        ("https://example.com#top", "fragment"),
        ("http://example.com", "unencrypted"),
        ("http://127.0.0.1.example.com", "unencrypted"),
        (KEY, "is an API key"),
        (None, "text, not NoneType"),
        (5, "text, not int"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(given: object, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        base_url_of(given)
    assert caught.value.hint
    assert KEY not in str(caught.value)
