# Each target makes its own virtual environment when there is none.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test bench results
demo: $(VENV)/user
	$(BIN)/python main.py sample dcgan_mnist --output results/dcgan_mnist.png
	$(BIN)/python main.py vae gen digits --retrain

test: $(VENV)/developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest -n auto --dist loadfile

results: $(VENV)/user
	$(BIN)/python tools/results.py

bench: $(VENV)/backends
	$(BIN)/python benchmarks/bench.py $(BENCH)

$(VENV)/user: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/developer: $(VENV)/user
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@

$(VENV)/backends: $(VENV)/developer
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[jax,torch,export]"
	touch $@
