"""Make trained models the zoo's own: their weights and a row in the manifest.

python tools/ship_weights.py results/vae-mnist …

Each folder is what `main.py train PRESET` left, or a mode with the recipe of a preset.
Matrices are kept in half precision, and equal arrays once: a GAN's generator and its average are
both the average.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from machine import processor  # noqa: E402

from common import models, presets  # noqa: E402
from common.commands.recipe import Recipe  # noqa: E402
from common.models.base import ImageModel  # noqa: E402
from common.presets import shipped  # noqa: E402

LICENCES = {
    "mono": "MNIST: CC BY-SA 3.0 (Yann LeCun, Corinna Cortes)",
    "stacked": "MNIST: CC BY-SA 3.0 (Yann LeCun, Corinna Cortes)",
    "fashion": "Fashion-MNIST: MIT (Zalando SE)",
    "digits": "Optical Recognition of Handwritten Digits: CC BY 4.0 (Alpaydin, Kaynak)",
    "polynomials": "none: the zoo makes them",
    "cifar10": "CIFAR-10: none is stated (Krizhevsky 2009)",
}


def main() -> None:
    """Ship the folders of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="+", type=Path)
    for folder in parser.parse_args().folder:
        ship(folder)


def ship(folder: Path) -> None:
    """Copy the weights of a folder of results, and write their row."""
    config, timing = (
        json.loads((folder / name).read_text()) for name in ("config.json", "timing.json")
    )
    preset, drop_class = config["preset"], config["data_options"].get("drop_class")
    check_recipe(config)
    model = getattr(models, presets.get(preset)["model"]).load(folder / "model.keras")
    name = preset if drop_class is None else f"{preset}_without_{drop_class}"
    path = shipped.FOLDER / f"{name}.weights.h5"
    write(model, path)
    known = json.loads(shipped.MANIFEST.read_text()) if shipped.MANIFEST.exists() else {}
    known[name] = {
        "preset": preset,
        "drop_class": drop_class,
        "recipe": shipped.recipe_digest(preset),
        "sha256": shipped.digest(path),
        "command": f"python main.py train {preset}",
        "machine": processor(),
        "train_seconds": timing["train_seconds"],
        "data_licence": LICENCES[presets.get(preset)["data"]["name"]],
        "figures": {},
    }
    shipped.MANIFEST.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
    print(f"{name}: {path.stat().st_size / 1e6:.2f} MB")


def check_recipe(config: dict) -> None:
    """End the program unless this is the preset's recipe with seed 0."""
    drop_class = config["data_options"].get("drop_class")
    given = {} if drop_class is None else {"drop_class": drop_class}
    recipe = json.loads(json.dumps(asdict(Recipe.of_preset(config["preset"], **given))))
    changed = [name for name, value in recipe.items() if config[name] != value]
    if changed:
        raise SystemExit(f"{config['preset']} was changed ({', '.join(changed)}); train it again.")


def write(model: ImageModel, path: Path) -> None:
    """The weights alone, in a file that `load_weights` reads."""
    plain = type(model).from_config(model.get_config())
    plain.set_weights(model.get_weights())
    if getattr(plain, "ema_generator", None):
        plain.generator.set_weights(plain.ema_generator.get_weights())
    path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place, "whole.weights.h5")
        plain.save_weights(whole)
        with h5py.File(whole) as source, h5py.File(path, "w") as target:
            copied: dict[bytes, h5py.Dataset] = {}

            def copy(name: str, item: h5py.Dataset | h5py.Group) -> None:
                if isinstance(item, h5py.Group):
                    target.require_group(name).attrs.update(item.attrs)
                    return
                values = item[()]
                if values.ndim > 1 and values.dtype == np.float32:
                    values = values.astype(np.float16)
                key = values.tobytes() + str(values.shape).encode()
                if key in copied:
                    target[name] = copied[key]  # a hard link
                else:
                    packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
                    packed = packed if values.size > 1000 else {}
                    copied[key] = target.create_dataset(name, data=values, **packed)
                target[name].attrs.update(item.attrs)

            source.visititems(copy)


if __name__ == "__main__":
    main()
