# The two commands a newcomer needs: `make run` and `make test`.
PORT ?= 8000
BANK_PORT ?= 8001
PYTHON ?= python3
BIN := .venv/bin
VNU := .venv/vnu/node_modules/vnu-jar/build/dist/vnu.jar

.PHONY: run test soak validate lint format reset requirements messages

run: .venv/.runtime
	@exec $(BIN)/python app.py demo --port $(PORT) --bank-port $(BANK_PORT)

test: .venv/.development
	@$(BIN)/python -m pytest

# The random histories of tests/proof, for long and on fresh seeds. SOAK_SEED=... runs one again.
soak: .venv/.development
	@$(BIN)/python -m tests.proof.soak

# The W3C's own validator, over every page in every state. Needs npm and Java.
validate: .venv/.development $(VNU)
	@W3C_VALIDATOR=$(CURDIR)/$(VNU) $(BIN)/python -m pytest tests/test_pages.py -k w3c

$(VNU): | .venv/bin/python
	@npm install --silent --no-save --ignore-scripts --prefix .venv/vnu vnu-jar@26.9.27

lint: .venv/.development
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: .venv/.development
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

reset: .venv/.runtime
	@$(BIN)/python app.py reset --yes

# Bring the translations up to date with the sources. NEW=de begins another language.
messages: .venv/.development
	@$(BIN)/python -m scripts.messages $(NEW)

# Pin again from pyproject.toml, all of it, on purpose.
requirements: .venv/.development
	@$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links -o requirements.txt pyproject.toml
	@$(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links --extra dev -c requirements.txt \
		-o requirements-dev.txt pyproject.toml

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 ou plus est nécessaire.")'
	@echo "Installation (une fois)..."
	@$(PYTHON) -m venv .venv

.venv/.runtime: requirements.txt | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.development: requirements-dev.txt | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.runtime
