"""`connect()`: the one place that knows both the client and the studio."""

from __future__ import annotations

import inspect
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetuning import settings
from finetuning.addresses import base_url_of
from finetuning.client.blocking import Client
from finetuning.errors import MissingExtraError, SettingsError
from finetuning.keys import ApiKey, claim
from finetuning.parameters import shown
from finetuning.redaction import redact
from finetuning.transport import Policy

if TYPE_CHECKING:
    from finetuning.studio import Studio

__all__ = ["connect"]

_lock = threading.Lock()
#: The studios of this process by their folder, with the options that each was started with.
_studios: dict[Path, tuple[Studio, dict[str, Any]]] = {}


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
        For the studio: `data_dir`, `limits` and what else `Studio` takes. One studio serves all clients of a process
        that name the same folder.

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
    # Rebound at once: a verbose traceback shows the locals of each frame, and a key is easily passed as the place.
    api_key, problem = claim(api_key)
    place = _place(where)
    where = None
    if problem:
        raise problem
    if place is None:
        key = api_key or settings.find_key()
        if key is not None:
            return _hosted(settings.load().base_url, key, policy, progress, studio)
        client = _embedded(policy, progress, studio)
        print(  # noqa: T201 - a notice, of which the user should know in a notebook too
            "No API key found: using the studio, a stand-in with a rule-based composer on this machine. "
            "ft.connect('hosted', api_key=…) reaches the service.",
            file=sys.stderr,
        )
        return client
    if place == "studio":
        if api_key is not None:
            raise SettingsError("The studio has a key of its own.", hint="Leave api_key out.")
        return _embedded(policy, progress, studio)
    url = settings.load().base_url if place == "hosted" else place
    if "://" not in url:
        raise SettingsError(
            f"{url!r} is not a place to connect to.",
            hint="A key goes into api_key=: ft.connect(api_key=…)."
            if url.startswith("ft_live_")
            else "Say 'hosted', 'studio', or a URL such as https://pub.finetuning.ai.",
        )
    url = base_url_of(url)
    key = api_key or settings.find_key()
    if key is None:
        raise SettingsError(
            f"No API key was given or found for {url}.",
            hint="Pass api_key=, set FINETUNING_API_KEY, or use ft.connect('studio'), which needs no account.",
        )
    return _hosted(url, key, policy, progress, studio)


def _place(where: object) -> str | None:
    """Fold what was typed; a key that was typed by mistake goes no further."""
    if where is None:
        return None
    if not isinstance(where, str):
        raise SettingsError(
            f"A place to connect to is text, not {type(where).__name__}.", hint="Say 'hosted', 'studio', or a URL."
        )
    text = redact(where.strip())
    return text.lower() if text.lower() in ("hosted", "studio") else text


def _embedded(policy: Policy | None, progress: bool, options: dict[str, Any]) -> Client:
    running = _studio(options)
    return Client(running.api_key, running.url, policy=policy, progress=progress, studio=running)


def _hosted(url: str, key: ApiKey, policy: Policy | None, progress: bool, studio: dict[str, Any]) -> Client:
    if studio:
        raise SettingsError(
            f"{', '.join(sorted(studio))}: only the studio takes this.", hint="Use ft.connect('studio', …)."
        )
    return Client(key, url, policy=policy, progress=progress)


def _studio(options: dict[str, Any]) -> Studio:
    """Return this process's studio for a folder, started when it is first asked for."""
    try:
        from finetuning.studio import Studio
    except ImportError as problem:
        if (problem.name or "").startswith("finetuning"):
            raise
        raise MissingExtraError(f"The studio (it needs {problem.name})", "studio") from None

    known = [name for name in inspect.signature(Studio).parameters if name != "self"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise SettingsError(
            f"connect() does not know {', '.join(unknown)}.", hint=f"A studio takes {', '.join(known)}."
        )
    named = options.pop("data_dir", None)
    try:
        folder = Path(named or settings.data_dir() / "studio").expanduser().resolve()
    except (TypeError, ValueError):
        raise SettingsError(
            f"data_dir={shown(named)} is not the name of a folder.", hint="Give its path as text or as a pathlib.Path."
        ) from None
    with _lock:
        running, started_with = _studios.get(folder, (None, {}))
        if running is None or running.closed:
            running = Studio(folder, **options)
            _studios[folder] = running, options
            return running
        # The default limits need not have been said to be those that run.
        started_with = {"limits": running.limits} | started_with
        other = [name for name, value in options.items() if name not in started_with or started_with[name] != value]
        if other:
            raise SettingsError(
                f"The studio in {folder} is running already, with other options than {', '.join(sorted(other))}.",
                hint="Close it first (client.studio.close()), or name another data_dir.",
            )
        return running
