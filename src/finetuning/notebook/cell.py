"""A cell of YAML to a `Sweep`.

Of YAML the cell needs little: names, values, lists. Plain values are read as one expects of a form, not as YAML 1.1
does: `4:4` is no number of seconds, `010` no octal number, a date is text. A truth value is refused, since `on`
is more often a word than a truth; so is an empty value, since `key: #C` is a comment to YAML.
"""

from __future__ import annotations

import difflib
import inspect
import re
from typing import Any, Final

from finetuning.errors import MissingExtraError, ParameterError, UsageError
from finetuning.sweep.plan import Sweep

__all__ = ["PARAMETERS", "read_sweep"]

#: What a cell may say: everything that `Sweep` takes.
PARAMETERS: Final = tuple(inspect.signature(Sweep).parameters)

_WHOLE: Final = re.compile(r"[-+]?[0-9]+")
_DECIMAL: Final = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
#: What YAML gives plain values by itself.
_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp"))
_TRUTHS: Final = frozenset({"yes", "no", "on", "off", "true", "false"})
_EMPTY: Final = frozenset({"", "~", "null"})
#: The line of the cell that is the YAML's first: `%%ft sweep` stands above it.
_FIRST: Final = 2


def read_sweep(text: str) -> Sweep:
    """Read the body of a cell.

    Parameters
    ----------
    text
        YAML: one of `PARAMETERS` a line, with a value, a list, or text such as `80, 90, ..., 140`.

    Raises
    ------
    UsageError
        It is not YAML, or holds something else than that; the message names the line of the cell.
    ParameterError
        A value that the service would refuse; likewise.
    MissingExtraError
        PyYAML is not installed.
    """
    given, lines = _read(text)
    if "tags" not in given:
        raise UsageError("The cell has no `tags`.", hint="Say what the music should be: `tags: lofi chill piano`.")
    try:
        return Sweep(**given)
    except ParameterError as problem:
        line = lines.get(problem.parameter or "")
        if line is None:
            raise
        raise ParameterError(
            f"Line {line}: {problem.message}", parameter=problem.parameter, value=problem.value, hint=problem.hint
        ) from None


def _read(text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the parameters, and the line of the cell on which each stands."""
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("PyYAML", "lab") from None
    try:
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + _FIRST if mark else _FIRST
        raise UsageError(
            f"Line {line}: this is not YAML: {problem.problem or problem.context}.",
            hint="One parameter a line, as in `bpm: [80, 90]`. Quote text that holds a colon and a space, or ` #`.",
        ) from None
    except yaml.YAMLError as problem:  # a character that no YAML may hold
        raise UsageError(f"The cell is not YAML: {problem}.") from None
    if not isinstance(top, yaml.MappingNode):
        raise UsageError(
            "The cell names no parameters.", hint="One a line: `tags: lofi chill piano`, then `bpm: [80, 90]`."
        )
    given: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in top.value:
        line = key.start_mark.line + _FIRST
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        _check_name(name, line)
        if name in given:
            raise UsageError(f"Line {line}: `{name}` stands on line {lines[name]} already.")
        lines[name] = line
        if isinstance(value, yaml.SequenceNode):
            given[name] = [_scalar(name, item) for item in value.value]
        else:
            given[name] = _scalar(name, value)
    return given, lines


def _check_name(name: str, line: int) -> None:
    if name in PARAMETERS:
        return
    near = difflib.get_close_matches(name.lower().replace("-", "_"), PARAMETERS, n=1, cutoff=0.5)
    raise UsageError(
        f"Line {line}: a sweep has no `{name}`{f'; did you mean `{near[0]}`?' if near else '.'}",
        hint=f"It takes {', '.join(PARAMETERS)}.",
    )


def _scalar(name: str, node: Any) -> str | int | float:
    line = node.start_mark.line + _FIRST
    if node.id != "scalar":
        kind = "a list within a list" if node.id == "sequence" else "a mapping"
        raise UsageError(
            f"Line {line}: `{name}` holds {kind}.",
            hint="Write one value, a list of values, or text such as `80, 90, ..., 140`.",
        )
    if node.tag not in _TAGS:
        raise UsageError(f"Line {line}: `{name}` has the tag {node.tag}, which means nothing here.")
    text = str(node.value)
    if node.style is not None:  # in quotes, or a block
        return text
    if text.lower() in _TRUTHS:
        raise UsageError(
            f"Line {line}: `{name}` is {text}, a truth value to YAML.", hint=f'In quotes it is the word: "{text}".'
        )
    if text.lower() in _EMPTY:
        raise UsageError(
            f"Line {line}: `{name}` is empty.",
            hint="Leave it out. What follows # is a comment to YAML: put such text in quotes.",
        )
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
