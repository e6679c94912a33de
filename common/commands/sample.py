"""`sample PRESET`: samples of a trained model, as a picture or as arrays; it needs no data."""

from pathlib import Path

import numpy as np

from common import models, plots, presets
from common.commands.run_folder import check_writable
from common.errors import InputError
from common.files import replacing
from common.models.base import ImageModel
from common.presets.shipped import weights_of


def run(preset: str, n: int, seed: int, output: Path) -> None:
    """Draw `n` samples into a grid, or an `.npz` of uint8 `samples` (N, H, W, C).

    Args:
        preset: name of a preset that has weights, or the path of a `.keras` file.
        n: number of samples.
        seed: of the noise.
        output: the file; its ending says which kind.

    Raises:
        InputError: there is no such model, or it has no samples.
    """
    if output.suffix not in (".png", ".npz"):
        raise InputError(f"Got --output {output}; expected a name that ends in .png or .npz.")
    model = trained_model(preset)
    if not hasattr(model, "sample") or not model.has_prior:
        raise InputError(
            f"{preset} is an {type(model).__name__}, which learns no distribution to draw from; "
            "take a VAE or a GAN, such as vae_mnist."
        )
    check_writable(output.parent)
    samples = model.sample(n, seed=seed)
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as partial:
        if output.suffix == ".npz":
            np.savez_compressed(partial, samples=np.round(255 * samples).astype(np.uint8))
        else:
            plots.image_grid(samples, title=f"{preset}: {n:,} samples").savefig(partial)
    print(f"{n:,} samples of {preset}, seed {seed}: {output}")


def trained_model(name: str) -> ImageModel:
    """The model of a preset with the zoo's weights, or of a `.keras` file.

    Raises:
        InputError: neither is there.
    """
    if Path(name).suffix == ".keras":
        return ImageModel.load(name)
    model_class = getattr(models, presets.get(name)["model"])
    if weights_of(name) is None:
        raise InputError(
            f"The zoo has no weights of {name}; main.py list presets shows which it has, and "
            f"main.py train {name} trains it."
        )
    return model_class.from_preset(name)
