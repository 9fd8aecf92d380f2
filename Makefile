# `make demo` and `make test` do all set-up by themselves: one virtual environment, .venv, with the built wheel in it.

PYTHON ?= python3
SOURCES := $(shell find relvm_kg graph cli -type f -not -name '*.pyc') README.md LICENSE
CHECKOUT := $(CURDIR)
BIN := $(CHECKOUT)/.venv/bin

# Modules whose tensor shapes are checked at every call in the tests.
SHAPED := relvm_kg.model.generative,relvm_kg.model.recognition,relvm_kg.model.objective,relvm_kg.model.sampled_softmax,relvm_kg.model.relvm,relvm_kg.classify.draws,relvm_kg.classify.factored,relvm_kg.model.products,relvm_kg.classify.pair_layers,relvm_kg.classify.pair,relvm_kg.classify.mention,relvm_kg.classify.entity_type,relvm_kg.training.language_model
# The tests load PyTorch, scikit-learn and the Cypher engine into one process, which needs more room than glibc's default.
TLS := glibc.rtld.optional_static_tls=4096

.PHONY: demo test lint types imports tests docs format clean

demo: .venv/wheel
	$(BIN)/relvm-kg demo

test: lint types imports tests docs

.venv/tools: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "relvm-kg needs Python 3.11 or newer; name it with make PYTHON=..." >&2; exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip==26.2'
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --group check --group docs --group build
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet $$($(BIN)/python -c 'import tomllib; print(*(repr(d) for d in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]))' | tr -d "'")
	touch $@

.venv/wheel: .venv/tools $(SOURCES)
	rm -rf dist
	$(BIN)/python -m build --quiet --wheel --no-isolation
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall dist/*.whl
	touch $@

lint: .venv/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/wheel
	$(BIN)/mypy

imports: .venv/wheel
	$(BIN)/lint-imports

tests: .venv/wheel
	place=$$(mktemp -d) && cd "$$place" && GLIBC_TUNABLES=$(TLS) $(BIN)/pytest -c $(CHECKOUT)/pyproject.toml --rootdir $(CHECKOUT) \
	  --jaxtyping-packages=$(SHAPED),beartype.beartype -p no:cacheprovider \
	  --doctest-modules --pyargs relvm_kg relvm_kg_graph relvm_kg_cli $(CHECKOUT)/tests $(PYTEST_ARGS); \
	  code=$$?; rm -rf "$$place"; exit $$code

docs: .venv/wheel
	$(BIN)/mkdocs build --strict --quiet --site-dir $(CHECKOUT)/site

format: .venv/tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv dist site build
