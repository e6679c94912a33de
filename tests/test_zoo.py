"""The one table: the rows stand for what they say, and the tables in docs are theirs."""

import inspect
from dataclasses import fields
from pathlib import Path

from common import presets, zoo
from common.cli import parser

ROOT = Path(__file__).parents[1]


def flags(row):
    return " ".join(f"`{zoo.OPTIONS[name].flag}`" for name in row.options)


def documented_rows():
    """The lines of the three tables in docs/command_line.md."""
    for model in zoo.MODELS.values():
        modes = " ".join(f"`{mode}`" for mode in model.modes)
        yield f"| `{model.name}` | {model.about} | {modes} | {flags(model)} |"
    for mode in zoo.MODES.values():
        yield f"| `{mode.name}` | {mode.about} | {flags(mode)} |"
    for data in zoo.DATASETS.values():
        names = f"`{data.name}`" + (f", `{data.alias}`" if data.alias else "")
        names = "PATH" if data.name == zoo.FOLDER else names
        yield f"| {names} | {data.about} | {flags(data)} |"


def verb_rows():
    """The lines of the table of verbs there."""
    for verb in zoo.VERBS.values():
        takes = " ".join(f"`{name}`" for name, _ in verb.takes)
        own = " ".join(f"`{option.flag}`" for option in verb.own)
        yield f"| `{verb.name}` | {verb.about} | {takes} | {own} |"


def test_the_documented_tables_are_the_zoos():
    text = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    lines = [line.replace("|  |", "| |") for line in text.splitlines()]
    rows = [*documented_rows(), *verb_rows()]
    wanted = [row.replace("|  |", "| |") for row in rows]
    assert [row for row in wanted if row not in lines] == []
    for title in ("MODEL", "MODE", "DATA", "VERB"):
        start = next(i for i, line in enumerate(lines) if line.startswith(f"| {title} |"))
        table = lines[start + 2 : lines.index("", start)]
        assert set(table) <= set(wanted)


def test_rows_stand_for_classes_and_modules():
    for model in zoo.MODELS.values():
        assert model.load().__name__ == model.class_name
        assert set(model.modes) <= set(zoo.MODES)
    for mode in zoo.MODES.values():
        module = mode.load()
        assert [*inspect.signature(module.check).parameters] == ["config", "data"]
        parameters = [*inspect.signature(module.run).parameters]
        assert parameters == ["config", "model", "data", "verifier", "folder"]
    for data in zoo.DATASETS.values():
        assert set(data.options) <= {field.name for field in fields(data.load())}
        assert data.verifier is None or data.verifier in presets.names()
        assert data.load().name == (data.alias or data.name)


def test_verbs_take_what_their_modules_do():
    for verb in zoo.VERBS.values():
        names = [name.strip("[]") for name, _ in verb.takes] + [o.name for o in verb.own]
        assert {*inspect.signature(verb.load().run).parameters} == {*names}


def test_options_belong_to_what_takes_them():
    tables = (zoo.MODELS, zoo.MODES, zoo.DATASETS)
    named = {name for table in tables for row in table.values() for name in row.options}
    assert named <= set(zoo.OPTIONS)
    for model in zoo.MODELS.values():
        known = set()
        for kind in model.load().__mro__:
            known |= set(inspect.signature(kind.__init__).parameters)
        own = {name for name in model.options if zoo.OPTIONS[name].part == "model"}
        assert {"num_classes" if name == "classifier" else name for name in own} <= known


def test_an_option_that_is_not_given_leaves_nothing_behind():
    words = vars(parser().parse_args(["vae", "gen"]))
    assert words == {"model": "vae", "mode": "gen"}
    words = vars(parser().parse_args(["vae", "gen", "--held-out", "8", "--k", "16"]))
    assert words == {"model": "vae", "mode": "gen", "held_out": "8", "k": 16}
