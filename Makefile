# The two commands:  make demo   make test      Everything CI runs:  make check
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# --python lets the machine's own pip fill the environment, so nothing like python3-venv is needed.
PIP_INTO = $(PYTHON) -m pip --disable-pip-version-check --python
CHECK_PIP = $(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "$(PYTHON) has no pip; install it first (Debian, Ubuntu: apt install python3-pip)" >&2; exit 1; }
ADAPTER_ENVS := autogen-0.14.1 ag2-0.9.10 autogen-agentchat-0.2.40 agentchat-0.5.7 agentchat-0.7.5
COMPARE_ENVS := chroma mem0 mem0-keyword langgraph langgraph-sqlite plain

.PHONY: help demo test check lint types format adapters wire bench quality compare install-size clean

help:
	@echo "make demo      two AutoGen conversations in two processes, for both generations"
	@echo "make test      the test suite"
	@echo "make check     what CI runs: lint, types, layers, tests, every AutoGen version, published clients, demo"
	@echo "make adapters  the adapter tests in one environment per AutoGen version"
	@echo "make wire      published clients of other memory services against this server"
	@echo "make bench     speed and size, each as a ratio to its floor"
	@echo "make quality   recall where the evidence is known, truth on labelled texts; DATA=\"file folder\" and ARGS=--ablate if you like"
	@echo "make compare   recall beside other memories, on the same memories; DATA=\"file folder\" and ARGS=\"--only remanence\""

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Remanence needs Python 3.11 or newer; try make PYTHON=python3.12")'
	@$(CHECK_PIP)
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PIP_INTO) $(BIN)/python install --quiet --no-deps --require-hashes -r requirements/dev.txt
	$(PIP_INTO) $(BIN)/python install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

test: $(VENV)/.installed
	$(BIN)/python -m pytest

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.installed
	$(BIN)/pyright

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Made once; without this make would take them for scratch files and remove the marks.
.PRECIOUS: .venvs/%/.installed .venvs/compare-%/.installed

# One environment per AutoGen version; each runs the same adapter tests.
.venvs/%/.installed: requirements/%.txt pyproject.toml
	@$(CHECK_PIP)
	$(PYTHON) -m venv --without-pip .venvs/$*
	$(PIP_INTO) .venvs/$*/bin/python install --quiet --no-deps --require-hashes -r requirements/$*.txt
	$(PIP_INTO) .venvs/$*/bin/python install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

adapters: $(ADAPTER_ENVS:%=adapters-%)

adapters-%: .venvs/%/.installed
	.venvs/$*/bin/python -m pytest tests/adapters

# The published clients of the services whose contracts the server speaks, unchanged, against a server.
wire: .venvs/wire/.installed
	.venvs/wire/bin/python -m pytest tests/wire

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

# Without DATA: the project's own conversations. Figures, lines and a picture go to benchmarks/results/quality.
# What is measured on labelled texts goes to docs/quality.md too.
quality: .venvs/quality/.installed
	.venvs/quality/bin/python -m benchmarks.quality $(DATA) $(ARGS)
	.venvs/quality/bin/python -m benchmarks.quality.truth --conversations --write-docs

# The environments of other memories hold those alone, not this project.
.venvs/compare-%/.installed: requirements/compare-%.txt
	@$(CHECK_PIP)
	$(PYTHON) -m venv --clear --without-pip .venvs/compare-$*
	$(PIP_INTO) .venvs/compare-$*/bin/python install --quiet --no-deps --require-hashes -r requirements/compare-$*.txt
	@touch $@

# Without DATA: the project's own conversations. The table goes to benchmarks/results too.
compare: $(VENV)/.installed $(COMPARE_ENVS:%=.venvs/compare-%/.installed)
	$(BIN)/python -m benchmarks.quality.comparators $(DATA) $(ARGS)

# Many tests wait for processes, so two environments at a time take little more than one.
check: lint types demo
	$(MAKE) --no-print-directory -j2 --output-sync=target everything

.PHONY: everything
everything: test wire adapters

clean:
	rm -rf .venv .venvs .pytest_cache .ruff_cache .hypothesis dist
