"""What can be refused before a model is trained for minutes."""

from common.commands.config import RunConfig
from common.errors import InputError
from common.models import AE
from common.models.base import ImageModel


def check_model(config: RunConfig, model: ImageModel) -> None:
    """Refuse figures that the model cannot give.

    Raises:
        InputError: it says which.
    """
    if config.nll_samples and isinstance(model, AE) and not model.pixels.in_nats:
        raise InputError(
            "--nll-samples estimates p(x) in nats, and this model's loss is not in nats; use a "
            "preset whose likelihood is bernoulli, gaussian or optimal_gaussian."
        )
    if config.mode == "anom" and config.score == "class_uncertainty" and not model.num_classes:
        remedy = "train one with --classifier" if config.weights else "give --classifier"
        raise InputError(
            f"The score class_uncertainty needs a model with a classifier; {remedy}, or choose "
            "another score."
        )
