"""The house's rules, read off the imports."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "common").rglob("*.py"))
BACKENDS = {"tensorflow", "jax", "torch", "tf_keras"}
# What each folder or file of `common` may import of the others.
ALLOWED = {
    "errors": set(),
    "files": {"errors"},
    "lazy_tensorflow": set(),
    "rows": {"errors"},
    "zoo": {"errors", "rows"},
    "metrics": {"errors"},
    "images": {"errors"},
    "presets": {"errors"},
    "networks": {"errors", "lazy_tensorflow"},
    "evaluation": {"errors", "images", "metrics"},
    "plots": {"errors", "images", "metrics"},
    "datasets": {"errors", "files", "images", "zoo", "evaluation"},
    "training": {"errors", "files", "images", "metrics"},
    "callbacks": {"errors", "metrics", "evaluation"},
    "models": {
        *("errors", "files", "images", "metrics", "presets", "lazy_tensorflow"),
        *("networks", "training"),
    },
}
ALLOWED["commands"] = set(ALLOWED)
ALLOWED["cli"] = {"errors", "zoo", "commands"}


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


def room(module):
    """`common.models.vae` → `models`."""
    return module.split(".")[1]


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
    assert "common.training.backend" in imports(ROOT / "common" / "training" / "evaluator.py")


def test_one_folder_names_a_backend():
    named = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        if any(name.split(".")[0] in BACKENDS for name in imports(path))
    }
    folder = "common/training/backend"
    assert named == {f"{folder}/{name}.py" for name in ("tensorflow", "jax", "torch")}


def test_imports_go_down_only():
    modules = {module_of(path): path for path in FILES if module_of(path) != "common"}
    assert {room(name) for name in modules} == set(ALLOWED)
    upwards = []
    for name, path in modules.items():
        rooms = {room(found) for found in imports(path) if found.startswith("common.")}
        upwards += [f"{name} → {other}" for other in rooms - ALLOWED[room(name)] - {room(name)}]
    assert upwards == []


def test_what_is_allowed_has_no_circle():
    order = [*TopologicalSorter(ALLOWED).static_order()]
    assert order.index("errors") < order.index("models") < order.index("commands")


def test_no_files_import_each_other_in_a_circle():
    modules = {module_of(path): path for path in FILES}
    graph = {}
    for name, path in modules.items():
        found = {other for other in imports(path) if other in modules and other != name}
        # A file may import its package, whose __init__ Python runs before it in any case.
        graph[name] = {other for other in found if not name.startswith(f"{other}.")}
    circle = []
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == []


def test_presets_and_the_table_are_pure_data():
    heavy = [*BACKENDS, "keras", "numpy", "matplotlib", "pandas"]
    assert breaches("presets", ["common", *heavy], ["common.errors", "common.presets"]) == []
    assert breaches("zoo.py", ["common", *heavy], ["common.errors", "common.rows"]) == []
    assert breaches("datasets", ["keras.src", "matplotlib.pyplot"]) == []


def test_common_imports_no_topic_folder():
    topics = [path.name for path in ROOT.iterdir() if path.is_dir() and "_using_" in path.name]
    assert topics
    assert breaches(".", [*topics, "tests", "benchmarks", "main"]) == []


def test_files_are_short():
    long = {path.name: len(path.read_text().splitlines()) for path in FILES}
    assert {name: lines for name, lines in long.items() if lines > 250} == {}


def test_plots_never_show():
    shown = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "plt.show"
    ]
    assert shown == []
