"""Every notebook, run small from its folder by `ipython NAME.ipynb`, as its users run it."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(ROOT.glob("*_using_*/*.ipynb"))

# What a notebook's `parameters` cell names of these is set so, in a cell behind it.
SMALL = {
    "DATA": "digits",
    "DATA_FRACTION": 0.1,
    "NUM_IMAGES": 80,
    "SAMPLES": 64,
    "COUNTED": 7000,
    "EPOCHS": 2,
    "NET_EPOCHS": 1,
    "BATCH_SIZE": 8,
    "WIDTH": 1 / 16,
}
AUTOENCODER = ["latent", "reconstructions", "samples", "manifold"]
AUTOENCODER += [f"classifier_{name}" for name in ("losses", "latent", "reconstructions")]
GAN = ["originals_and_samples", "samples", "training"]
PICTURES = {
    "AE": AUTOENCODER,
    "VAE": AUTOENCODER,
    "anomaly": ["reconstructions", "roc", "most_anomalous", "missed"],
    "stacked": [
        "net_losses", "packed_losses", "mode_history", "packed_mode_history", "samples",
        "packed_samples", "modes", "packed_modes",
    ],
    "DCGAN_mnist": GAN,
    "DCGAN_poly": GAN,
    "WGAN_poly": GAN,
}  # fmt: skip


def each_notebook(test):
    return pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)(test)


def read(path):
    return nbformat.read(path, as_version=4)


def parameters_cells(notebook):
    return [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]


def promised_pictures(notebook):
    """The paths that the code names."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return re.findall(r'"([^"\n]+\.(?:png|gif))"', code)


def make_small(notebook):
    (cell,) = parameters_cells(notebook)
    statements = ast.parse(cell.source).body
    names = {target.id for statement in statements for target in statement.targets}
    assert "EPOCHS" in names
    lines = [f"{name} = {value!r}" for name, value in SMALL.items() if name in names]
    place = notebook.cells.index(cell) + 1
    notebook.cells.insert(place, nbformat.v4.new_code_cell("\n".join(lines)))
    return notebook


def test_the_notebooks_are_there():
    assert set(PICTURES) <= {path.stem for path in NOTEBOOKS}


@each_notebook
def test_notebook_is_committed_clean(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len(parameters_cells(notebook)) == 1
    assert notebook.cells[0].source.startswith("# ")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
    assert path.stat().st_size < 40_000
    promised = {Path(picture) for picture in promised_pictures(notebook)}
    assert {picture.parent for picture in promised} == {Path("images", path.stem)}
    names = {picture.stem for picture in promised}
    assert {"originals", "losses", *PICTURES.get(path.stem, ())} <= names


@each_notebook
def test_notebook_runs(path, tmp_path):
    folder = tmp_path / path.parent.name
    folder.mkdir()
    notebook = make_small(read(path))
    nbformat.write(notebook, folder / path.name)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    run = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", path.name],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    # IPython's exit status alone does not tell: some versions end well after an error in a cell.
    assert run.returncode == 0 and "Traceback" not in run.stdout, run.stdout[-3000:]
    for name in promised_pictures(notebook):
        with Image.open(folder / name) as picture:
            picture.load()
            assert all(100 <= side <= 3000 for side in picture.size), f"{name}: {picture.size}"
            levels = picture.convert("L").getextrema()
            assert levels[1] - levels[0] > 50, f"{name} shows nothing"
            if name.endswith(".gif"):
                assert picture.n_frames == SMALL["EPOCHS"]
