"""Commands and groups as `ft` has them: global flags anywhere, help with an example, the nearest name for a typo."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from finetuning.version import __version__

from .session import Session, key_of

__all__ = ["Command", "Group", "OneOf", "Whole", "an_id", "json_flag", "session_of"]

#: Short enough for Python to read, whatever its limit on digits; what is out of range is told of by who knows.
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)
#: How alike a name must be to be suggested.
_ALIKE: Final = 0.5
_GLOBAL: Final = "global"


def session_of(context: click.Context) -> Session:
    """Return the session that a command runs in."""
    session = context.find_object(Session)
    if session is None:
        raise RuntimeError("a command of ft runs through running.run, which brings a session")
    return session


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep a global flag, wherever it stands; one that is not given leaves what another place said."""
    if value is None or value is False:
        return
    if value == "":
        raise click.UsageError(f"{option.opts[0]} '' is empty; give it something, or leave it out.", context)
    flags = session_of(context).flags
    if option.name == "api_key":
        value = key_of(value)
    setattr(flags, str(option.name), value)


def _help(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        session_of(context).print(context.get_help())
        context.exit()


def _version(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        session_of(context).print(f"ft v{__version__}")
        context.exit()


def _global_options() -> list[click.Option]:
    def option(*names: str, **more: Any) -> click.Option:
        found = click.Option(names, expose_value=False, callback=_remember, **more)
        setattr(found, _GLOBAL, True)
        return found

    options = [
        option("--api-key", metavar="KEY", help="The key to use instead of the stored one."),
        option("--base-url", metavar="URL", help="The service to talk to, a running studio for example."),
        option(
            "--config",
            metavar="PATH",
            type=click.Path(path_type=Path),
            help="Another configuration file (config.json).",
        ),
        option("-v", "--verbose", is_flag=True, help="Show requests and answers on stderr, keys redacted."),
        option("--no-color", is_flag=True, help="No colour, as with the variable NO_COLOR."),
    ]
    helping = click.Option(
        ("-h", "--help"), is_flag=True, is_eager=True, expose_value=False, callback=_help, help="Show this help."
    )
    telling = click.Option(
        ("--version",), is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
    )
    for each in (helping, telling):
        setattr(each, _GLOBAL, True)
    return [*options, telling, helping]


class _Documented(click.Command):
    """What commands and groups share.

    Parameters
    ----------
    example
        Lines that show how it is used.
    """

    def __init__(
        self, name: str | None, *, example: str = "", params: list[click.Parameter] | None = None, **more: Any
    ) -> None:
        more["add_help_option"] = False  # ours writes to the session's console
        super().__init__(name, params=[*(params or []), *_global_options()], **more)
        self.example = example

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and say in our own words what is missing, or not known, with the nearest flag."""
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as problem:
            missing = (problem.param.make_metavar(ctx) if problem.param else "").strip("[].")
            raise click.UsageError(f"{missing} is missing. {_usage(self, ctx)}", ctx) from None
        except click.BadOptionUsage as problem:
            raise click.UsageError(self._misused(ctx, problem.option_name), ctx) from None
        except click.NoSuchOption as problem:
            if not problem.option_name.startswith("-"):
                raise
            known = [name for param in self.get_params(ctx) if isinstance(param, click.Option) for name in param.opts]
            raise click.UsageError(
                f"{problem.option_name} is not a flag of {ctx.command_path}" + _instead(problem.option_name, known), ctx
            ) from None

    def _misused(self, ctx: click.Context, name: str) -> str:
        """Say of a flag that it takes a value, or that it takes none."""
        option = next(param for param in self.get_params(ctx) if name in param.opts)
        if isinstance(option, click.Option) and option.is_flag:
            return f"{name} takes no value: it is given or left out."
        return f"{name} needs a value: {name} {option.make_metavar(ctx)}. See: ft help {_path(ctx)}"

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags of this command, then those of every command."""
        titles: dict[bool, str] = {False: "Flags", True: "Global flags, before or after any command"}
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
        for shared, title in titles.items():
            records = [
                record
                for param in self.get_params(ctx)
                if isinstance(param, click.Option)
                and getattr(param, _GLOBAL, False) is shared
                and (record := param.get_help_record(ctx))
            ]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example."""
        if self.example:
            with formatter.section("Example"):
                for line in self.example.splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Command(_Documented):
    """A command of `ft`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and name what is too many."""
        ctx.allow_extra_args = True  # told of here, in our own words
        more = super().parse_args(ctx, args)
        if more and not ctx.resilient_parsing:
            said = " ".join(repr(each[:60]) for each in more[:3]) + (" …" if len(more) > 3 else "")
            raise click.UsageError(f"{said} is more than {ctx.command_path} takes. {_usage(self, ctx)}", ctx)
        return more


class Group(_Documented, click.Group):
    """A group of commands; the root alone shows its help."""

    command_class = Command

    def __init__(self, name: str | None, **more: Any) -> None:
        more["subcommand_metavar"] = "COMMAND …"
        super().__init__(name, invoke_without_command=True, callback=click.pass_context(_alone), **more)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command by name, and suggest the nearest for one that is not known."""
        if args and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(
                f"{args[0]!r} is not a command of {ctx.command_path}" + _instead(args[0], self.list_commands(ctx)), ctx
            )
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they were added."""
        return list(self.commands)


def _alone(context: click.Context) -> None:
    """Show what there is where no command was named; beneath the root, one that is needed is missing."""
    if context.invoked_subcommand is not None:
        return
    if context.parent is not None and isinstance(context.command, click.Group):
        known = ", ".join(context.command.list_commands(context))
        raise click.UsageError(f"{context.command_path} takes a command: {known}. See: ft help {_path(context)}")
    session_of(context).print(context.get_help())


def _path(context: click.Context) -> str:
    return context.command_path.partition(" ")[2]


def _usage(command: click.Command, context: click.Context) -> str:
    words = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    pieces = words.replace("[OPTIONS]", "[flags]").replace("...", "…")
    return f"Usage: {pieces}. See: ft help {_path(context)}"


def _instead(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}."


class Whole(click.ParamType[int]):
    """A whole number between two others.

    Parameters
    ----------
    least, most
        None for no bound.
    """

    name = "number"

    def __init__(self, least: int | None = None, most: int | None = None) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number."""
        number = int(value) if isinstance(value, int) or _WHOLE.fullmatch(value) else None
        if (
            number is None
            or (self.least is not None and number < self.least)
            or (self.most is not None and number > self.most)
        ):
            flag = param.opts[-1] if param else "It"
            raise click.UsageError(f"{flag} takes {self.said}, not {str(value)[:60]!r}.", ctx)
        return number

    @property
    def said(self) -> str:
        """What is allowed, in words."""
        if self.most is not None:
            return f"a whole number from {self.least} to {self.most}"
        return "a whole number" if self.least is None else f"a whole number from {self.least}"


class OneOf(click.Choice[str]):
    """One of a few words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read a word."""
        if value not in self.choices:
            name = param.make_metavar(ctx).strip("[]") if param and ctx else "It"
            raise click.UsageError(f"{name} is one of {', '.join(self.choices)}, not {value[:60]!r}.", ctx)
        return str(value)


_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]+_[a-z0-9_-]+", re.ASCII | re.IGNORECASE)


def an_id(text: str) -> str:
    """Check that something can be an id at all: the service's are UUIDs, or a prefix and more, as in `gen_…`.

    Raises
    ------
    click.UsageError
        It cannot.
    """
    if len(text) > 128 or not _ID.fullmatch(text):
        raise click.UsageError(
            f"{text[:60]!r} is not an id; ids are 8-4-4-4-12 hexadecimal digits, or begin as gen_ does, "
            "as in the first column of `ft list`."
        )
    return text


def ids(texts: Iterable[str]) -> list[str]:
    """Check several ids, and fold those that repeat."""
    return list(dict.fromkeys(an_id(text) for text in texts))


def json_flag(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="The service's own JSON, indented by two.")(function)
