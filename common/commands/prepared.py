"""What a model will see of a folder of one's own pictures, shown before it is trained."""

import shutil
import warnings
from pathlib import Path

from common import plots, zoo
from common.callbacks.progress import say
from common.commands.recipe import Recipe
from common.commands.run_folder import RunFolder
from common.datasets import ImageData
from common.files import replacing

SHOWN = 32
NAME = "prepared.png"
# Below, samples are blurred or copies of the training images.
FEW = 300


def show_prepared(recipe: Recipe, data: ImageData, folder: RunFolder) -> None:
    """Draw training pictures as they were cut and scaled; warn of too few. Only of folders."""
    if recipe.dataset.name != zoo.FOLDER:
        return
    if (count := len(data.x_train)) < FEW:
        warnings.warn(
            f"{count} training pictures are few: expect blurred samples, or copies of them. From "
            f"about {FEW} on samples are of their own, and from 2,000 on they vary.",
            stacklevel=2,
        )
    title = f"{min(SHOWN, count)} of {count:,} training pictures, as the model sees them"
    with replacing(folder.path / NAME) as partial:
        plots.image_grid(data.x_train[:SHOWN], title=title).savefig(partial, format="png")
    say(f"The prepared pictures are in {folder.path / NAME}.")


def keep_prepared(folder: RunFolder, staging: Path) -> None:
    """Put the picture, if there is one, among the results, which it goes with."""
    if (path := folder.path / NAME).is_file():
        shutil.copy(path, staging)
