# `make demo` runs a mission, `make test` runs every check. Both set up what is missing first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
LEROBOT := build/lerobot
OPENPI := build/openpi

.PHONY: demo test lint setup lerobot-env openpi-env clean
.DELETE_ON_ERROR:

demo: setup
	$(BIN)/bosun run "put the red block in the drawer, close it and turn on the lamp" \
		--seed 20 --video runs/demo.mp4

test: lint lerobot-env openpi-env
	@.ci/system-packages test
	$(BIN)/pytest -q -n auto

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

setup: $(INSTALLED)
	@.ci/system-packages

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(BIN)/python:
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Bosun needs Python 3.11 or newer; install it, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# LeRobot wants other versions than Bosun of much that both need. Its environment has those of its
# own, and takes all else, torch above all, from Bosun's.
lerobot-env: $(LEROBOT)/.installed

$(LEROBOT)/.installed: tests/lerobot/requirements.txt | setup
	$(BIN)/python -m venv --clear --without-pip $(LEROBOT)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> $$($(LEROBOT)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/bosun.pth
	$(BIN)/python -m pip --python $(LEROBOT)/bin/python --disable-pip-version-check install --quiet \
		--no-deps -r tests/lerobot/requirements.txt
	@touch $@

# openpi's client wants a NumPy before 2, and shares nothing with Bosun.
openpi-env: $(OPENPI)/.installed

$(OPENPI)/.installed: tests/openpi/requirements.txt | setup
	$(BIN)/python -m venv --clear --without-pip $(OPENPI)
	$(BIN)/python -m pip --python $(OPENPI)/bin/python --disable-pip-version-check install --quiet \
		--no-deps -r tests/openpi/requirements.txt
	@touch $@

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find agent skills tests demos -name __pycache__ -type d -prune -exec rm -rf {} +
