"""The house's rules, read off the imports."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "common").rglob("*.py"))
BACKENDS = {"tensorflow", "jax", "torch", "tf_keras"}


def module_of(path):
    """`common/models/vae.py` → `common.models.vae`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source, package):
    """Every module that a source text imports, wherever in it, relative ones resolved."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return found


def imports(path):
    package = module_of(path) if path.name == "__init__.py" else module_of(path.parent / "_")[:-2]
    return imports_of(path.read_text(encoding="utf-8"), package)


def breaches(folder, forbidden, allowed=()):
    """`file: module` for every forbidden import in a folder of `common`."""
    files = [path for path in FILES if path.is_relative_to(ROOT / "common" / folder)]
    assert files, f"no files in common/{folder}"
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in sorted(imports(path))
        if any(f"{name}.".startswith(f"{rule}.") for rule in forbidden)
        and not any(f"{name}.".startswith(f"{rule}.") for rule in allowed)
    ]


def test_imports_are_found_wherever_they_stand():
    source = "import a.b\nfrom c import d\ndef f():\n    from . import e\n    from ..g import h\n"
    found = imports_of(source, "common.models")
    assert {"a.b", "c.d", "common.models.e", "common.g.h"} <= found
    assert "i.j" in imports_of("import importlib\nimportlib.import_module('i.j')", "")
    assert "common.training.backend" in imports(ROOT / "common" / "models" / "base.py")


def test_one_file_names_a_backend():
    named = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        if any(name.split(".")[0] in BACKENDS for name in imports(path))
    }
    assert named == {"common/training/backend.py"}


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("models", ["common.datasets", "common.plots", "common.evaluation", "common.cli"]),
        ("training", ["common.models", "common.datasets", "common.plots", "common.cli"]),
        ("datasets", ["common.models", "common.plots", "common.cli", "matplotlib.pyplot"]),
        ("plots", ["common.models", "common.training", "common.cli"]),
        ("evaluation", ["common.models", "common.training", "common.plots", "common.cli"]),
    ],
)
def test_a_folder_does_not_know_those_above_it(folder, forbidden):
    assert breaches(folder, forbidden) == []


def test_presets_are_pure_data():
    heavy = [*BACKENDS, "keras", "numpy", "matplotlib", "pandas"]
    assert breaches("presets", ["common", *heavy], ["common.errors", "common.presets"]) == []


def test_common_imports_no_topic_folder():
    topics = [path.name for path in ROOT.iterdir() if path.is_dir() and "_using_" in path.name]
    assert topics
    assert breaches(".", [*topics, "tests", "benchmarks", "main"]) == []


def test_plots_never_show():
    shown = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "plt.show"
    ]
    assert shown == []
