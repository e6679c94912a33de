"""Run every notebook small, from its folder, with `ipython NAME.ipynb` as a reader would."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from made_photographs import put_cars, put_celeba, put_cifar10
from PIL import Image

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(ROOT.glob("*_using_*/*.ipynb"))

# A cell after a notebook's `parameters` cell sets those of these names that it defines.
SMALL = {
    "DATA": "digits",
    "DATA_FRACTION": 0.1,
    "NUM_IMAGES": 80,
    "SAMPLES": 64,
    "COUNTED": 7000,
    "EPOCHS": 2,
    "NET_EPOCHS": 1,
    "BATCH_SIZE": 8,
    "NET_WIDTH": 1 / 16,
}
AUTOENCODER = ["latent", "reconstructions", "samples", "manifold", "training"]
AUTOENCODER += [f"classifier_{name}" for name in ("losses", "latent", "reconstructions")]
FACES = ["reconstructions", "interpolation", "samples", "training"]
GAN = ["originals_and_samples", "samples", "training"]
PHOTO_GAN = [*GAN, "nearest"]
# Stored with its outputs; the others train for minutes, and are stored without.
STORED = "models_using_MNIST/your_own_model"
PICTURES = {
    STORED: ["reconstructions", "samples"],
    "models_using_MNIST/AE": AUTOENCODER,
    "models_using_MNIST/VAE": AUTOENCODER,
    "models_using_MNIST/conv_AE": [
        "map_losses", "reconstructions", "map_reconstructions", "traversals", "interpolation",
        "map_interpolation", "tsne", "training",
    ],
    "models_using_MNIST/anomaly": ["reconstructions", "roc", "most_anomalous", "missed"],
    "models_using_MNIST/stacked": [
        "net_losses", "packed_losses", "mode_history", "packed_mode_history", "samples",
        "packed_samples", "modes", "packed_modes",
    ],
    "models_using_MNIST/DCGAN_mnist": GAN,
    "models_using_CelebA/AE": [*FACES, "cross_fade", "samples_of_random_codes"],
    "models_using_CelebA/VAE": [*FACES, "traversals", "tsne"],
    "models_using_CelebA/DCGAN_celeba": PHOTO_GAN,
    "GANs_using_CIFAR10/DCGAN_cifar10": PHOTO_GAN,
    "GANs_using_Cars/DCGAN_cars": PHOTO_GAN,
    "GANs_using_Polynomials/DCGAN_poly": GAN,
    "GANs_using_Polynomials/WGAN_poly": GAN,
}  # fmt: skip

# The notebooks of these topics read photographs from DATA_DIR.
PHOTOGRAPHS = {
    "models_using_CelebA": put_celeba,
    "GANs_using_CIFAR10": put_cifar10,
    "GANs_using_Cars": put_cars,
}

# An autoencoder and a GAN run by default; the others are slow tests, which CI runs.
QUICK = {"models_using_MNIST/DCGAN_mnist"}

# What a cell's outputs come in.
OUTPUTS = {"stream", "display_data", "execute_result", "error"}

# What TensorFlow and Keras may print is not for readers of a lesson.
NOISE = re.compile(r"onednn|absl|cuda|xla_|retracing|tensorflow/|warning", re.IGNORECASE)


def key(path):
    return f"{path.parent.name}/{path.stem}"


each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=key)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def parameters_cells(notebook):
    return [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]


def promised_pictures(notebook):
    """The picture paths in the code."""
    code = "\n".join(cell.source for cell in code_cells(notebook))
    return re.findall(r'"([^"\n]+\.(?:png|gif))"', code)


def make_small(notebook, **settings):
    (cell,) = parameters_cells(notebook)
    statements = ast.parse(cell.source).body
    names = {target.id for statement in statements for target in statement.targets}
    assert {"EPOCHS", *settings} <= names
    settings = SMALL | settings
    lines = [f"{name} = {value!r}" for name, value in settings.items() if name in names]
    place = notebook.cells.index(cell) + 1
    notebook.cells.insert(place, nbformat.v4.new_code_cell("\n".join(lines)))
    return notebook


def test_the_notebooks_are_there():
    assert QUICK <= set(PICTURES) == {key(path) for path in NOTEBOOKS}


@each_notebook
def test_notebook_is_committed_clean(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len(parameters_cells(notebook)) == 1
    assert notebook.cells[0].source.startswith("# ")
    if key(path) != STORED:
        for cell in code_cells(notebook):
            assert not cell.outputs and cell.execution_count is None
    assert path.stat().st_size <= (600_000 if key(path) == STORED else 40_000)
    promised = {Path(picture) for picture in promised_pictures(notebook)}
    assert {picture.parent for picture in promised} == {Path("images", path.stem)}
    names = {picture.stem for picture in promised}
    assert {"originals", "losses", *PICTURES.get(key(path), ())} <= names


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=key(path), marks=[] if key(path) in QUICK else [pytest.mark.slow])
        for path in NOTEBOOKS
    ],
)
def test_notebook_runs(path, tmp_path):
    folder = tmp_path / path.parent.name
    folder.mkdir()
    settings = {}
    if path.parent.name in PHOTOGRAPHS:
        data_dir = PHOTOGRAPHS[path.parent.name](tmp_path / "data")
        settings = {"DATA_DIR": str(data_dir), "DATA_FRACTION": 1.0}
    notebook = make_small(read(path), **settings)
    nbformat.write(notebook, folder / path.name)
    # The other tests set variables that readers have not set, and that silence TensorFlow.
    unset = {"TF_CPP_MIN_LOG_LEVEL", "CUDA_VISIBLE_DEVICES"}
    environment = {
        **{name: value for name, value in os.environ.items() if name not in unset},
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        # The cache of decoded photographs goes there.
        "KERAS_HOME": str(tmp_path / "keras"),
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
    # Some versions of IPython exit with 0 after an error in a cell.
    assert run.returncode == 0 and "Traceback" not in run.stdout, run.stdout[-3000:]
    assert "Image object" not in run.stdout
    for name in promised_pictures(notebook):
        assert name in run.stdout, f"{name} is not told of"
    noise = [line for line in run.stdout.splitlines() if NOISE.search(line)]
    assert not noise, "\n".join(noise)
    for name in promised_pictures(notebook):
        with Image.open(folder / name) as picture:
            picture.load()
            assert all(100 <= side <= 3000 for side in picture.size), f"{name}: {picture.size}"
            levels = picture.convert("L").getextrema()
            assert levels[1] - levels[0] > 50, f"{name} shows nothing"
            if name.endswith(".gif"):
                assert picture.n_frames == SMALL["EPOCHS"]


def run_in_kernel(notebook, folder, environment):
    """Run the cells one by one as Jupyter does, and keep their outputs."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder), env=environment)
    try:
        for count, cell in enumerate(code_cells(notebook), 1):
            cell.outputs, cell.execution_count = [], count

            def keep(message, outputs=cell.outputs):
                if message["msg_type"] in OUTPUTS:
                    outputs.append(nbformat.v4.output_from_msg(message))

            client.execute_interactive(cell.source, output_hook=keep, timeout=300)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return notebook


def structure(cell):
    """The kind of each output, and what it is made of."""
    return [(out.output_type, sorted(out.get("data", ()))) for out in cell.outputs]


def test_stored_outputs_are_whole():
    cells = code_cells(read(ROOT / f"{STORED}.ipynb"))
    code = "\n".join(cell.source for cell in cells)
    assert len([line for line in code.splitlines() if line.strip()]) < 60
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    for cell in cells:
        assert not {"stream", "error"} & {kind for kind, _ in structure(cell)}, cell.id
        assert (".keep(" in cell.source) == ("image/png" in str(structure(cell))), cell.id


@pytest.mark.slow
def test_stored_outputs_are_those_of_the_code(tmp_path):
    """Cell for cell, a small run in Jupyter's kernel gives outputs of the stored structure."""
    path = ROOT / f"{STORED}.ipynb"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path)}
    ran = run_in_kernel(make_small(read(path)), tmp_path, environment)
    found = {cell.id: structure(cell) for cell in code_cells(ran)}
    for cell in code_cells(read(path)):
        assert structure(cell) == found[cell.id], cell.id
