"""The one exception of the zoo that a user can act on."""


class InputError(ValueError):
    """What was given cannot be used; the message says what was expected and what to do.

    The command line prints the message alone. Everything else (a bug) keeps its traceback.
    """
