"""The form of every preset."""

# Number of training images from which on it holds → batches to see, the smallest number first.
Updates = tuple[tuple[int, int], ...]


def preset(
    model: str,
    data: str | dict,
    about: str,
    fit: tuple[int | Updates, int],
    compile_with: dict,
    **arguments,
) -> dict:
    """A preset: a model, its data and how it is trained.

    Args:
        model: the name of the model's class.
        data: the dataset's name, or a dict of its `name` and options.
        about: one line that says what is special about it.
        fit: (epochs, or `Updates` for sets of any size, and the batch size).
        compile_with: arguments of the model's `compile`.
        **arguments: arguments of the model's constructor.
    """
    length, batch_size = fit
    lasts = "epochs" if isinstance(length, int) else "updates"
    return {
        "model": model,
        "about": about,
        "data": {"name": data} if isinstance(data, str) else data,
        "arguments": arguments,
        "compile": compile_with,
        "fit": {lasts: length, "batch_size": batch_size},
    }
