"""`python main.py MODEL MODE [DATA]`: train a model of the zoo, or load it, and look at it."""

import sys

from common.cli import main

if __name__ == "__main__":
    sys.exit(main())
