"""Models by the name of a preset, with the weights that come with the zoo."""

from typing import Any, Self

from common import presets
from common.errors import InputError
from common.models.saving import SavedModel
from common.presets.shipped import Weights, weights_of


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
            name: one of `common.presets.names()`.
            weights: None for a model that is not trained, or others of `common.presets.shipped`.
            **overrides: constructor arguments to replace.

        Raises:
            InputError: an unknown name, a preset of another model, or weights that have changed.
        """
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
