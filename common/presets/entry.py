"""The form of every preset."""


def preset(
    model: str,
    data: str | dict,
    about: str,
    fit: tuple[int, int],
    compile_with: dict,
    **arguments,
) -> dict:
    """A preset: a model, its data and how it is trained.

    Args:
        model: the name of the model's class.
        data: the dataset's name, or a dict of its `name` and options.
        about: one line that says what is special about it.
        fit: (epochs, batch size).
        compile_with: arguments of the model's `compile`.
        **arguments: arguments of the model's constructor.
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
