"""The documents: short, linked, with commands and code that run as they stand."""

import re
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from common import zoo
from common.cli import parser
from common.commands.config import RunConfig

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def text_of(page):
    return page.read_text(encoding="utf-8")


def links(text):
    """The targets of a page's links and pictures, without code."""
    text = re.sub(r"`[^`\n]*`", "", FENCED.sub("", text))
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)


def anchors(text):
    """The names that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands(text):
    """What follows `main.py` on a page; cells of a table headed `python main.py` … leave it out."""
    found = re.findall(r"(?<=main\.py )[a-z_]+ (?:basic|gen|latent|anom)\b[^\n`#*]*", text)
    found += re.findall(r"^[|*] ?`([a-z_]+ (?:basic|gen|latent|anom)\b[^`]*)`", text, re.MULTILINE)
    return [re.split(r"[;&]", command)[0].strip() for command in found]


def test_the_readme_has_at_most_900_words():
    assert len(README.split()) <= 900


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in links(text_of(page)):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        assert target.exists() and target.is_relative_to(ROOT), f"{page.name}: {link}"
        assert not parts.fragment or parts.fragment in anchors(text_of(target)), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_ones_that_the_command_line_takes(page, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Pictures").mkdir()
    for command in commands(text_of(page)):
        words = shlex.split(command.replace("FOLDER", str(tmp_path)))
        config = RunConfig.of_options(**vars(parser().parse_args(words)))
        assert (config.model, config.mode) == tuple(words[:2])


def test_the_pages_have_commands_to_check():
    count = {page.name: len(commands(text_of(page))) for page in PAGES}
    assert count["README.md"] >= 10 and count["figures.md"] >= 20
    assert count["command_line.md"] >= 5


def test_every_flag_in_the_documents_is_one_of_ours():
    known = {flag for action in parser()._actions for flag in action.option_strings}
    known |= {option.flag for verb in zoo.VERBS.values() for option in verb.own}
    known |= {"--rounds", "--images", "--only"}  # the benchmarks'
    for page in PAGES:
        if page.name == "speed.md":  # of the benchmarks, which have a --help of their own
            continue
        text = re.sub(r"jupyter [^\n`]*|pytest [^\n`]*", "", text_of(page))
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known, page.name


def test_the_readmes_code_runs(monkeypatch, tmp_path):
    [code] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(code.splitlines()) <= 15
    code = code.replace("MNISTData()", "DigitsData(data_fraction=0.1)")
    code = code.replace("MNISTData", "DigitsData").replace("epochs=40", "epochs=1")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["images"].shape == (16, 28, 28, 1)
    pictures = {path.name for path in tmp_path.glob("*.png")}
    assert pictures == {"losses.png", "latent.png", "samples.png"}


def own_code(words):
    """The piece of code in docs/own_code.md that has these words."""
    blocks = re.findall(r"```python\n(.*?)```", text_of(ROOT / "docs/own_code.md"), re.DOTALL)
    [code] = [block for block in blocks if words in block]
    return compile(code, "own_code.md", "exec")


def test_the_code_that_judges_own_samples_runs(capsys):
    exec(own_code("evaluate("), {})
    distance, precision = map(float, capsys.readouterr().out.split())
    assert distance > 0 and 0 <= precision <= 1


@pytest.mark.parametrize(("words", "name"), [("ae = AE(", "ae"), ("class SmoothAE", "model")])
def test_the_code_for_own_models_runs(words, name):
    names = {}
    exec(own_code(words), names)
    model = names[name]
    model.compile(steps_per_execution=1, jit_compile=False)
    from common.datasets import DigitsData

    images = DigitsData(data_fraction=0.05).x_train
    losses = model.fit(images, epochs=2, batch_size=16, verbose=0).history["loss"]
    assert losses[1] < losses[0]
