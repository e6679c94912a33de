"""Models by the name of a preset, from a folder or from the Hugging Face Hub."""

import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from common import presets
from common.errors import InputError
from common.models.card import model_card
from common.models.saving import SavedModel
from common.presets.shipped import Weights, weights_of

HUB = "hf://"
NAME = "model.keras"


class Pretrained(SavedModel):
    """A model that presets describe."""

    @classmethod
    def from_preset(
        cls, name: str, *, weights: str | Weights | None = "zoo", **overrides: Any
    ) -> Self:
        """Build a preset's model, compiled with its recipe's optimizer.

        It has the trained weights that come with the zoo, if the preset has some and nothing is
        overridden; `common.presets.shipped` says which do.

        Args:
            name: one of `common.presets.names()`; or, for what `push_to_hub` or `save_to_folder`
                wrote, hf://USER/REPO or the path of a folder, which take no further arguments.
            weights: None for a model that is not trained, or others of `common.presets.shipped`.
            **overrides: constructor arguments to replace.

        Raises:
            InputError: an unknown name, a preset of another model, or weights that have changed.
        """
        if name.startswith(HUB) or (name not in presets.PRESETS and Path(name).is_dir()):
            if overrides or weights != "zoo":
                raise InputError(f"{name} is a whole model; leave out all other arguments.")
            folder = Path(name)
            return cls.load(_from_hub(name) if name.startswith(HUB) else folder / NAME)
        preset = presets.get(name)
        # A class of one's own takes its base's presets too; the zoo's own VAE takes no AE's.
        line = [c for c in cls.__mro__ if issubclass(c, Pretrained)]
        base = next(k for k, c in enumerate(line) if c.__module__.startswith("common."))
        if preset["model"] not in [c.__name__ for c in line[: base + 1]]:
            raise InputError(f"Preset {name!r} is for {preset['model']}, not {cls.__name__}.")
        if weights == "zoo":
            weights = None if overrides else weights_of(name)
        elif not isinstance(weights, Weights | None):
            raise InputError(f"Got weights={weights!r}; expected 'zoo', or None for none.")
        model = cls(**preset["arguments"] | overrides)
        if weights is not None:
            # Before `compile`: the file has no optimizer.
            model.load_weights(weights.checked())
        model.compile(**preset["compile"])
        return model

    def save_to_folder(self, folder: str | Path, card: str, picture: str | Path | None) -> None:
        """Write the model, its card as README.md, and a picture into a folder.

        Args:
            folder: is made if it is missing.
            card: see `common.models.card.model_card`.
            picture: a file to copy, or None.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.save(folder / NAME)
        (folder / "README.md").write_text(card, encoding="utf-8")
        if picture is not None:
            (folder / Path(picture).name).write_bytes(Path(picture).read_bytes())

    def push_to_hub(
        self,
        repo: str,
        *,
        data: str,
        licence: str,
        figures: Mapping[str, float],
        picture: str | Path | None = None,
    ) -> None:
        """Publish the model on the Hugging Face Hub, with a card.

        `huggingface_hub` has to be installed (the extra `hub`), and logged in.

        Args:
            repo: USER/REPO, which is made if it is missing.
            data: what the model learned from.
            licence: of the model, as the Hub names it, such as "cc-by-sa-3.0".
            figures: what was measured, by name.
            picture: of samples or reconstructions.

        Raises:
            InputError: the package is missing, or the Hub refuses.
        """
        hub = _hub()
        card = model_card(type(self).__name__, repo, data, licence, figures, picture)
        try:
            with tempfile.TemporaryDirectory() as folder:
                self.save_to_folder(folder, card, picture)
                hub.HfApi().create_repo(repo, exist_ok=True)
                hub.HfApi().upload_folder(repo_id=repo, folder_path=folder)
        except (OSError, ValueError) as error:  # Its errors are of these types.
            raise InputError(f"{repo} could not be published ({error}).") from error


def _hub() -> Any:
    try:
        return import_module("huggingface_hub")
    except ImportError as error:
        raise InputError(
            'The Hugging Face Hub needs its package; install it with pip install -e ".[hub]".'
        ) from error


def _from_hub(name: str) -> Path:
    """The file of a model on the Hub, downloaded once."""
    repo = name.removeprefix(HUB)
    try:
        return Path(_hub().hf_hub_download(repo, NAME))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{name} could not be read from the Hugging Face Hub ({error}); expected "
            "hf://USER/REPO of a model that push_to_hub published."
        ) from error
