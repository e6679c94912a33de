"""The form of every preset."""


def preset(
    model: str,
    data: str | dict,
    about: str,
    fit: tuple[int, int],
    compile_with: dict,
    **arguments,
) -> dict:
    """A preset, trained for so many epochs with batches of so many images.

    Args:
        model: the name of the class.
        data: the data's name, or a dict of the `name` and of options.
        about: what it is, in a line.
        fit: (epochs, images in a batch).
        compile_with: arguments of the model's `compile`.
        **arguments: of the model's constructor.
    """
    epochs, batch_size = fit
    return {
        "model": model,
        "about": about,
        "data": {"name": data} if isinstance(data, str) else data,
        "arguments": arguments,
        "compile": compile_with,
        "fit": {"epochs": epochs, "batch_size": batch_size},
    }
