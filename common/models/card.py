"""The card of a published model: what it is, what it learned from, how good it is."""

from collections.abc import Mapping
from pathlib import Path

CARD = """\
---
license: {licence}
library_name: keras
tags: [image-generation, keras-generative-model-zoo]
---
# {title}

A {kind} of the Keras generative-model zoo, trained on {data}.
{picture}
| figure | value |
|---|---:|
{figures}

```python
from common.models import {kind}

model = {kind}.from_preset("hf://{repo}")
```

The model's licence is {licence}; that of the data holds too.
"""


def model_card(
    kind: str,
    repo: str,
    data: str,
    licence: str,
    figures: Mapping[str, float],
    picture: str | Path | None,
) -> str:
    """The README.md of a repository on the Hugging Face Hub.

    Args:
        kind: the model's class.
        repo: USER/REPO.
        data: what it learned from.
        licence: as the Hub names it.
        figures: measured values by name.
        picture: a file in the repository, or None.
    """
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | {value:.4g} |" for name, value in figures.items()
    )
    shown = "" if picture is None else f"\n![What it draws]({Path(picture).name})\n"
    title = repo.partition("/")[2] or repo
    return CARD.format(
        licence=licence, title=title, kind=kind, data=data, picture=shown, figures=rows, repo=repo
    )
