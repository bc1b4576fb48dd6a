from __future__ import annotations

import pickle
import re
import warnings
from typing import Any

import pytest

from finetuning import errors, notices
from finetuning.records import Generation

KEY = "ft_live_" + "0123456789abcdef" * 2


def drawn() -> dict[str, tuple[str | None, set[str]]]:
    """Read the tree at the top of the module: name, the one above it, and what else it is."""
    found: dict[str, tuple[str | None, set[str]]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^(?P<lead>[│├└─ ]*)(?P<name>[A-Z]\w+(?:Error|Warning)) *(?:\((?P<also>\w+)\))?", line)
        if match:
            depth = len(match["lead"]) // 4
            path[depth:] = [match["name"]]
            found[match["name"]] = (path[depth - 1] if depth else None, {match["also"]} - {None})
    return found


def test_the_tree_at_the_top_is_the_real_one() -> None:
    real = {}
    for name in errors.__all__:
        kind = getattr(errors, name)
        ours = [base.__name__ for base in kind.__bases__ if base.__module__ == "finetuning.errors"]
        others = {base.__name__ for base in kind.__bases__ if base.__module__ == "builtins"} - {"Exception"}
        real[name] = (ours[0] if ours else None, others)
    assert drawn() == real


def test_every_class_of_the_module_is_public() -> None:
    classes = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert classes == set(errors.__all__)


def test_only_what_can_be_caught_is_offered() -> None:
    assert dir(errors) == sorted(errors.__all__)
    assert all(issubclass(getattr(errors, name), Exception) for name in dir(errors))


def test_a_hint_stands_on_a_line_of_its_own() -> None:
    assert str(errors.FinetuningError("Wrong.", hint="Do this.")) == "Wrong.\nDo this."
    assert str(errors.FinetuningError("Wrong.")) == "Wrong."


def test_an_api_error_says_status_code_and_request() -> None:
    error = errors.NotFoundError("Track not found", status=404, code="NOT_FOUND", request="GET /v1/me", hint="Look.")
    assert str(error) == "Track not found [404 NOT_FOUND] (GET /v1/me)\nLook."
    assert str(errors.APIError("No", status=418, code="TEAPOT")) == "No [418 TEAPOT]"


def test_a_missing_extra_names_the_command() -> None:
    error = errors.MissingExtraError("anywidget", "lab")
    assert isinstance(error, ImportError)
    assert "pip install 'finetuning[lab]'" in str(error)


EXAMPLES: list[errors.FinetuningError] = [
    errors.FinetuningError("a", hint="b"),
    errors.ParameterError("a", parameter="bpm", value=[1], hint="b"),
    errors.AmbiguousPlaylistError("a", candidates=["x", "y"]),
    errors.MissingExtraError("a", "lab"),
    errors.TransportError("a", request="GET /"),
    errors.InvalidAnswerError("a", status=200, request="GET /", hint="b"),
    errors.RateLimitError("a", status=429, code="RATE_LIMITED", details={"x": 1}, retry_after=2.0, request="GET /"),
    errors.GenerationError("a", generation=Generation(id="x", extra={"new": 1})),
    errors.StillProcessingError("a", id="x", hint="b"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_cross_processes_whole(error: errors.FinetuningError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_no_key_in_what_an_error_shows() -> None:
    error = errors.ParameterError(f"key={KEY!r} is none", parameter="key", value=KEY, hint=f"not {KEY}")
    shown = f"{error} {error!r} {error.message} {error.hint} {error.value} {error.args}"
    assert KEY not in shown
    assert shown.count("ft_live_0123...****") == 7


@pytest.mark.parametrize(
    ("kind", "attribute"), [(errors.ClampedWarning, "generation"), (errors.PartialWarning, "outcome")]
)
def test_what_a_warning_carries_is_not_lost_where_warnings_are_errors(kind: Any, attribute: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(kind) as caught:
            notices.warn(kind("moved", **{attribute: "what was paid for"}))
    assert getattr(caught.value, attribute) == "what was paid for"


def test_a_warning_points_at_the_line_outside_the_package() -> None:
    from finetuning.frames import generations_frame

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        generations_frame([Generation(id="x", created="not a time")])
    assert [(each.category, each.filename) for each in caught] == [(errors.ServiceWarning, __file__)]
