"""Completion by Tab: `ft completion`, what the shells call, and what a notebook asks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    get_completion_class,
)

from finetuning.records import KEYS, LANGUAGES, SCALES, STATUSES

from .flags import Command, OneOf, session_of
from .outcome import Outcome
from .suggestions import Asking, Kind, Offer, ShellAsking

__all__ = ["VARIABLE", "complete", "completion", "items"]

#: By it the shells' scripts ask: `_FT_COMPLETE=zsh_complete`.
VARIABLE: Final = "_FT_COMPLETE"

#: As click's, but for names with spaces: the words are kept whole, and readline quotes what needs it.
_BASH: Final = """\
%(complete_func)s() {
    local IFS=$'\\n' type value completion response
    COMPREPLY=()
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete "$1" 2>/dev/null)
    while IFS=',' read -r type value; do
        if [[ $type == dir ]]; then
            compopt -o dirnames 2>/dev/null
        elif [[ $type == file ]]; then
            compopt -o default 2>/dev/null
        elif [[ $type == plain ]]; then
            COMPREPLY+=("$value")
            if [[ $value == *[^[:alnum:]_.:/=,@%%+-]* ]]; then
                compopt -o filenames 2>/dev/null
            fi
        fi
    done <<< "$response"
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


#: As click's, but for commas in names, which are no end of them, and for the order, which is the newest first.
_FISH: Final = """\
function %(complete_func)s
    set -l response (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -t) \\
        %(prog_name)s 2>/dev/null)
    for completion in $response
        set -l metadata (string split --max 1 "," -- $completion)
        switch $metadata[1]
            case dir
                __fish_complete_directories $metadata[2]
            case file
                __fish_complete_path $metadata[2]
            case plain
                echo $metadata[2]
        end
    end
end

complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _Fish(FishComplete):
    source_template = _FISH


class _Bash(BashComplete):
    source_template = _BASH

    def source(self) -> str:
        # The base class runs bash to ask for its version, which need not be there where a script is written.
        return ShellComplete.source(self)


_SCRIPTS: Final[dict[str, type[ShellComplete]]] = {"bash": _Bash, "zsh": ZshComplete, "fish": _Fish}
#: What an argument names, by how the help calls it; and the words that a flag takes.
_NAMED: Final[dict[str, Kind]] = {"PLAYLIST": "playlists", "FROM": "playlists", "TO": "playlists", "ID": "tracks"}
_WORDS: Final[dict[str, Sequence[str]]] = {
    "key": KEYS,
    "language": LANGUAGES,
    "scale": SCALES,
    "status": STATUSES,
}


class _Offering(click.ParamType[Any]):
    """A parameter's type, with something to offer."""

    def __init__(self, inner: click.ParamType[Any], offer: Callable[[click.Context], Iterable[Offer]]) -> None:
        self.name = inner.name
        self._inner = inner
        self._offer = offer

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._inner.convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        given = ctx.params.get(param.name or "")
        begun = incomplete.casefold()
        return [
            CompletionItem(text, help=about or None)
            for text, about in self._offer(ctx)
            if text.casefold().startswith(begun) and not (isinstance(given, tuple) and text in given)
        ]


def _teach(command: click.Command) -> None:
    """Give the parameters of a command, and of those beneath it, something to offer."""
    for below in getattr(command, "commands", {}).values():
        _teach(below)
    for parameter in command.params:
        if isinstance(parameter.type, _Offering):
            continue
        if isinstance(parameter, click.Option) and parameter.name == "output":
            parameter.type = click.Path()
        if parameter.name == "names":  # of `ft help`
            parameter.type = _Offering(parameter.type, _of_the_commands)
        kind = _NAMED.get((parameter.metavar or "").strip("[].")) if isinstance(parameter, click.Argument) else None
        words = _WORDS.get(parameter.name or "") if isinstance(parameter, click.Option) else None
        if kind is not None:
            parameter.type = _Offering(parameter.type, partial(_of_the_library, kind))
        elif words is not None:
            parameter.type = _Offering(parameter.type, partial(_of_words, words))


def _of_the_library(kind: Kind, context: click.Context) -> Iterable[Offer]:
    asking = context.find_object(Asking)
    return asking.offers(kind) if asking is not None else ()


def _of_the_commands(context: click.Context) -> Iterable[Offer]:
    """Offer the commands beneath those that are named already."""
    command: click.Command | None = context.find_root().command
    for name in context.params.get("names") or ():
        command = command.get_command(context, name) if isinstance(command, click.Group) else None
    found = command.commands if isinstance(command, click.Group) else {}
    return [(name, each.get_short_help_str()) for name, each in found.items()]


def _of_words(words: Sequence[str], context: click.Context) -> Iterable[Offer]:
    return [(word, "") for word in words]


def items(app: click.Command, asking: Asking, words: list[str], incomplete: str) -> list[CompletionItem[str]]:
    """Return what could stand where `incomplete` does, behind `words`."""
    _teach(app)
    return ShellComplete(app, {"obj": asking}, "ft", VARIABLE).get_completions(words, incomplete)


def complete(app: click.Command, instruction: str) -> int:
    """Answer a shell's script on the standard output.

    Parameters
    ----------
    app
        The command's root.
    instruction
        The value of `_FT_COMPLETE`, such as `zsh_complete`.
    """
    shell, _, what = instruction.partition("_")
    answering = get_completion_class(shell)
    if answering is None or what != "complete":
        return 1
    _teach(app)
    asking = ShellAsking()
    click.echo(answering(app, {"obj": asking}, "ft", VARIABLE).complete())
    if asking.late:
        # A name that is being resolved would hold the interpreter's end up for seconds.
        os._exit(0)
    return 0


@click.command(
    "completion",
    cls=Command,
    example='eval "$(ft completion bash)"      in ~/.bashrc\n'
    'eval "$(ft completion zsh)"       in ~/.zshrc, after compinit\n'
    "ft completion fish > ~/.config/fish/completions/ft.fish",
)
@click.argument("shell", metavar="SHELL", type=OneOf(list(_SCRIPTS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> Outcome:
    """Print the script that lets a shell complete `ft` by Tab.

    It completes commands, flags and their values, the names of playlists, and the ids of the newest tracks; what the
    service said is kept for a minute in completion.json in the data folder.
    """
    script = _SCRIPTS[shell](context.find_root().command, {}, "ft", VARIABLE).source()
    session_of(context).print(script.rstrip())
    return Outcome(kind="text")
