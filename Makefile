# make demo       the main job on embedded defaults, from nothing but Python 3.11+
# make test       lint, types, layer contract and tests, in the same environment with the dev group
# make test-all   the slow calibration and browser tests too
# make figures    every benchmark's table in the documentation, printed on this commit (hours; QUICK=1 tries the chain)
# make docs       the documentation as a site in site/; a broken link fails

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-all figures docs clean

demo: $(VENV)/.installed
	$(BIN)/stresslab run strategies/*.py --data sample:bitcoin --seed 7 --out reports

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

test-all: test
	@command -v chromium >/dev/null || $(BIN)/playwright install chromium || echo "no Chromium: browser tests are skipped"
	STRESSLAB_HYPOTHESIS=explore $(BIN)/pytest -n 2 -m "slow or browser"

# FIGURES names some of them, BARS is a folder of bars for those that need more than the bundled ones
figures: $(VENV)/.dev
	$(BIN)/python benchmarks/figures.py $(if $(QUICK),--quick) $(if $(BARS),--bars $(BARS)) $(FIGURES)

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

# the site needs no dependency of the package: the API is read from the sources
$(VENV)/.docs: $(VENV)/pip
	$(BIN)/python -m pip install --quiet --group docs
	touch $@

# pip >= 25.1 knows --group; the one of a fresh virtual environment may be older
$(VENV)/pip: 
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	touch $@

# torch from the index of CPU builds where there is no NVIDIA GPU: 200 MB instead of 3 GB; where that index cannot be
# reached, from the usual one with all else
TORCH_CPU := https://download.pytorch.org/whl/cpu

$(VENV)/.torch: $(VENV)/pip constraints.txt
	@if ! command -v nvidia-smi >/dev/null 2>&1; then \
	  $(BIN)/python -m pip install --quiet --retries 0 --timeout 10 -c constraints.txt torch --index-url $(TORCH_CPU) \
	    || echo "$(TORCH_CPU) gives no torch: it comes from the usual index"; \
	fi
	touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -c constraints.txt --group dev
	touch $@

clean:
	rm -rf $(VENV)
