"""`connect()`: the one place that knows both the client and the studio."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetuning import settings
from finetuning.client.blocking import Client
from finetuning.errors import SettingsError
from finetuning.keys import ApiKey, redact
from finetuning.transport import Policy

if TYPE_CHECKING:
    from finetuning.studio import Studio

__all__ = ["connect"]

_lock = threading.Lock()
_studios: dict[Path, Studio] = {}


def connect(
    where: str | None = None,
    *,
    api_key: str | ApiKey | None = None,
    policy: Policy | None = None,
    progress: bool = True,
    **studio: Any,
) -> Client:
    """Connect to the service.

    Parameters
    ----------
    where
        `"hosted"`, `"studio"`, or a URL. By default the hosted service where a key is found (`api_key`, then
        `FINETUNING_API_KEY`, the keychain, the credentials file), else the studio, with a notice of one line.
    api_key
        The key, for the hosted service or a URL.
    policy
        Timeouts, retries, and how long to wait at a rate limit.
    progress
        Whether long work shows a progress bar.
    **studio
        For the studio: `data_dir`, `limits`. One studio serves all clients of a process that name the same folder.

    Returns
    -------
    Client

    Raises
    ------
    SettingsError
        There is no key, it has not the shape of one, or the URL cannot be used.
    MissingExtraError
        The studio is not installed; the message names the command.

    Examples
    --------
    >>> import finetuning as ft
    >>> client = ft.connect("studio")  # doctest: +SKIP
    """
    api_key = ApiKey(api_key) if api_key is not None else None
    if where is None:
        key = api_key or settings.find_key()
        if key is not None:
            return _hosted(settings.load().base_url, key, policy, progress, studio)
        print(  # noqa: T201 - a notice, of which the user should know in a notebook too
            "No API key found: using the studio, a stand-in with a rule-based composer on this machine. "
            "ft.connect('hosted', api_key=…) reaches the service.",
            file=sys.stderr,
        )
        where = "studio"
    if where == "studio":
        if api_key is not None:
            raise SettingsError("The studio has a key of its own.", hint="Leave api_key out.")
        running = _studio(studio)
        return Client(running.api_key, running.url, policy=policy, progress=progress, studio=running)
    if where == "hosted":
        where = settings.load().base_url
    elif "://" not in where:
        raise SettingsError(
            f"{redact(where)!r} is not a place to connect to.",
            hint="Say 'hosted', 'studio', or a URL such as https://pub.finetuning.ai.",
        )
    key = api_key or settings.find_key()
    if key is None:
        raise SettingsError(
            f"No API key was given or found for {redact(where)}.",
            hint="Pass api_key=, set FINETUNING_API_KEY, or use ft.connect('studio'), which needs no account.",
        )
    return _hosted(where, key, policy, progress, studio)


def _hosted(url: str, key: ApiKey, policy: Policy | None, progress: bool, studio: dict[str, Any]) -> Client:
    if studio:
        raise SettingsError(
            f"{', '.join(sorted(studio))}: only the studio takes this.", hint="Use ft.connect('studio', …)."
        )
    return Client(key, url, policy=policy, progress=progress)


def _studio(options: dict[str, Any]) -> Studio:
    """Return this process's studio for a folder, started when it is first asked for."""
    from finetuning.studio import Studio

    folder = Path(options.pop("data_dir", None) or settings.data_dir() / "studio").expanduser().resolve()
    with _lock:
        running = _studios.get(folder)
        if running is None or running.closed:
            running = _studios[folder] = Studio(folder, **options)
        elif options and options.get("limits", running.limits) != running.limits:
            raise SettingsError(
                f"The studio in {folder} is running already, with limits={running.limits!r}.",
                hint="Close it first, or name another data_dir.",
            )
        return running
