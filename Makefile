# Two commands: `make demo` starts the page, `make test` checks everything. Both set up first.

PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test setup

demo: .venv/app.stamp
	$(BIN)/python app.py

test: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

setup: .venv/dev.stamp

.venv/app.stamp: requirements.txt
	$(PYTHON) -m venv .venv
	@echo "Installing PyTorch and other packages, which takes some minutes ..."
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/dev.stamp: requirements.txt requirements-onnx.txt requirements-ray.txt requirements-dev.txt .venv/app.stamp
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	sh tests/install.sh
	touch $@
