"""`python main.py MODEL MODE [DATA]`: train a model of the zoo, or load it, and look at it."""

from common.cli import console

if __name__ == "__main__":
    console()
