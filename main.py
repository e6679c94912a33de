"""`python main.py MODEL MODE [DATA]`: train a model of the zoo, or load it, and look at it."""

import sys
import warnings

from common.cli import main

if __name__ == "__main__":
    warnings.formatwarning = lambda message, *place, **line: f"main.py: {message}\n"
    sys.exit(main())
