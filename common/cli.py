"""The command line: the options of `zoo.OPTIONS` → a `RunConfig` → a run. It imports no Keras."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import common
from common import zoo
from common.errors import InputError

COMMAND = "keras-zoo" if Path(sys.argv[0]).stem == "keras-zoo" else "main.py"
USAGE = f"{COMMAND} MODEL MODE [DATA] [--OPTION VALUE ...], or {COMMAND} VERB"
DESCRIPTION = """\
Train a model, or load it where its recipe was trained before; pictures and figures go to
results/MODEL-DATA/. KERAS_BACKEND=jax (or torch) changes the backend.
Without a download: python main.py vae gen digits"""
TABLES = {
    "VERB": zoo.VERBS,
    "MODEL": zoo.MODELS,
    "MODE": zoo.MODES,
    "DATA": zoo.DATASETS,
    "SCORE": zoo.SCORES,
}
GROUPS = {"training": "training", "model": "model", "data": "data", "run": "figures and files"}


class Parser(argparse.ArgumentParser):
    """A parser whose errors the caller prints."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print with every option there is."""
        raise InputError(f"{message[:1].upper()}{message[1:]}.")


def parser() -> Parser:
    """The arguments of `main.py`; an option that is not given leaves no attribute behind."""
    result = Parser(
        prog=COMMAND,
        usage=USAGE,
        description=DESCRIPTION,
        epilog="\n\n".join(
            f"{kind}:\n" + "\n".join(f"  {name:<18}{about}" for name, about in _lines(table))
            for kind, table in TABLES.items()
        ),
        argument_default=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, about in (
        ("model", "what to train"),
        ("mode", "what to draw and measure"),
        ("data", "images to learn from; default: mono, or the preset's"),
    ):
        result.add_argument(
            name, metavar=name.upper(), help=about, nargs="?" * (name == "data") or None
        )
    result.add_argument("--version", action="version", version=f"%(prog)s {common.__version__}")
    groups = {part: result.add_argument_group(title) for part, title in GROUPS.items()}
    for option in zoo.OPTIONS.values():
        groups[option.part].add_argument(option.flag, help=_help(option), **_reading(option))
    return result


def verb_parser(verb: zoo.Verb) -> Parser:
    """The arguments of `main.py VERB`."""
    result = Parser(prog=f"{COMMAND} {verb.name}", description=verb.about)
    for name, about in verb.takes:
        plain = name.strip("[]")
        result.add_argument(
            plain, metavar=plain.upper(), help=about, nargs="?" if plain != name else None
        )
    for option in verb.own:
        short = [f"-{option.name}"] if len(option.name) == 1 else []
        reading = _reading(option) | {"default": option.default}
        result.add_argument(*short, option.flag, help=_help(option), **reading)
    return result


def _lines(table: Mapping[str, zoo.Row | zoo.Score]) -> Iterator[tuple[str, str]]:
    for row in table.values():
        alias = getattr(row, "alias", "")
        name = f"{row.name}, {alias}" if alias else row.name
        yield "PATH" if row.name == zoo.FOLDER else name, row.about


def _help(option: zoo.Option) -> str:
    owners = ", ".join(zoo.owners(option.name))
    default = (
        "" if option.default is None or option.default is False else f"; default {option.default}"
    )
    return f"{option.about}{default}" + (f" ({owners})" if owners else "")


def _reading(option: zoo.Option) -> dict[str, Any]:
    """How argparse reads the option's value."""
    if option.kind is bool:
        return {"action": "store_true"}
    metavar = option.kind.__name__.upper().replace("STR", "NAME")
    if option.choices:
        metavar = "SCORE" if len(option.choices) > 4 else None
    return {"type": option.kind, "choices": option.choices or None, "metavar": metavar}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0, 2 for input that cannot be used, 130 after Ctrl-C.

    Raises:
        SystemExit: with 143 or 129 after SIGTERM or SIGHUP within a training.
    """
    first, *others = [*(sys.argv[1:] if argv is None else argv)] or [""]
    try:
        act = _verb(zoo.VERBS[first], others) if first in zoo.VERBS else _mode(argv)
    except InputError as error:
        return _fail(f"{error}\nusage: {USAGE}; {COMMAND} --help explains each")
    try:
        act()
    except (InputError, FloatingPointError) as error:
        return _fail(str(error))
    except BrokenPipeError:
        # Whatever reads what this prints has ended; Python would print a line about it at the end.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return _fail("what it prints is no longer read, so it stopped.")
    except OSError as error:
        return _fail(f"{error}. Earlier results are unchanged.")
    except KeyboardInterrupt:
        print(f"{COMMAND}: stopped.", file=sys.stderr)
        return 130
    return 0


def _mode(argv: Sequence[str] | None) -> Callable[[], None]:
    """What MODEL MODE DATA asks for."""
    words = vars(parser().parse_args(argv))
    # After `--help`: these import NumPy, and the run imports Keras.
    from common.commands.config import RunConfig

    config = RunConfig.of_options(**words)

    def act() -> None:
        from common.commands.run import run

        run(config)

    return act


def _verb(verb: zoo.Verb, argv: Sequence[str]) -> Callable[[], None]:
    """What VERB asks for."""
    words = vars(verb_parser(verb).parse_args(argv))
    for option in verb.own:
        if (value := words[option.name]) is not None:
            option.check(value)
    return lambda: verb.load().run(**words)


def _fail(message: str) -> int:
    print(f"{COMMAND}: {message}", file=sys.stderr)
    return 2


def console() -> NoReturn:
    """Run the command of `sys.argv`, with warnings of one line, and exit."""
    warnings.formatwarning = lambda message, *place, **line: f"{COMMAND}: {message}\n"
    sys.exit(main())
