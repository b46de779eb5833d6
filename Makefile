# The two commands a newcomer needs: `make run` and `make test`.
PORT ?= 8000
BANK_PORT ?= 8001
# `make run BANK=payfip`: the mock PayFiP in place of the mock bank.
BANK ?=
PYTHON ?= python3
BIN := .venv/bin
# A folder in memory where there is one: many small databases are made there.
MEMORY := $(firstword $(wildcard /dev/shm) /tmp)
# Where it is set, each of the suite's many processes would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
VNU := .venv/vnu/node_modules/vnu-jar/build/dist/vnu.jar

.PHONY: run test proof whole soak soak-power storm bench rush signins servers validate mutants fuzz lint format reset requirements wheels sbom audit machine messages

run: .venv/.runtime
	@exec $(BIN)/python app.py demo --port $(PORT) --bank-port $(BANK_PORT) --bank "$(BANK)"

# By four processes even on two cores: the tests wait for other programs a good part of the time.
# `make test ONLY=tests/browser` runs some of them; for one alone,
# `.venv/bin/python -m pytest tests/...` is quicker.
PYTEST = $(BIN)/python -m pytest -n 4 --dist loadgroup
test: .venv/.development
	@$(PYTEST) -m "not proof" $(ONLY)

# The rest: every page in every state, every visitor, every way an upgrade fails, more histories.
proof: .venv/.development
	@$(PYTEST) -m proof $(ONLY)

# Both at once, as continuous integration does.
whole: .venv/.development
	@$(PYTEST) $(ONLY)

# The random histories of tests/proof, for long and on fresh seeds. SOAK_SEED=... runs one again.
soak: .venv/.development
	@$(BIN)/python -m tests.proof.soak

# The W3C's own validator, over every page in every state. Needs npm and Java.
validate: .venv/.development $(VNU)
	@W3C_VALIDATOR=$(CURDIR)/$(VNU) $(BIN)/python -m pytest tests/test_pages.py -k w3c

# What the tests would not notice: some 10 000 small faults put into the payment core, one at a time.
# `make mutants ONLY='kiosque.payments.journal.*' TESTS='tests/kiosque/payments'` tries those of a
# module, by some tests; begun again, those that no test noticed; `DRAW=30`, so many of each module, at
# random. Then the rows for docs/mutants.md. Far from UTC, so that local time shows.
DRAW ?= 0
MUTMUT := .venv/mutants/bin/python -m scripts.mutants
mutants: .venv/mutants/.ready
	@TZ=Pacific/Auckland TMPDIR=$(MEMORY) nice -n 10 $(MUTMUT) try --tests "$(TESTS)" --draw $(DRAW) $(if $(ONLY),'$(ONLY)')
	@$(MUTMUT) rows

.venv/mutants/.ready: requirements-dev.txt Makefile | .venv/bin/pip
	@$(PYTHON) -m venv .venv/mutants
	@.venv/mutants/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt mutmut==3.8.1
	@touch $@

# What makes the site fail or believe wrongly: bytes made up by coverage, for so long each.
FUZZ_SECONDS ?= 60
FUZZED := notification imports answers statements
fuzz: .venv/fuzz/.ready
	@for target in $(FUZZED); do \
		mkdir -p data/fuzz/$$target && \
		TMPDIR=$(MEMORY) nice -n 10 .venv/fuzz/bin/python -m tests.fuzz.run $$target \
			data/fuzz/$$target tests/fuzz/corpus/$$target -max_total_time=$(FUZZ_SECONDS) \
			-max_len=4096 -artifact_prefix=data/fuzz/$$target- || exit 1; \
	done

.venv/fuzz/.ready: requirements.txt Makefile | .venv/bin/pip
	@$(PYTHON) -m venv .venv/fuzz
	@.venv/fuzz/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@.venv/fuzz/bin/python -m pip install --quiet --disable-pip-version-check atheris==3.0.0
	@touch $@

$(VNU): | .venv/bin/pip
	@npm install --silent --no-save --ignore-scripts --prefix .venv/vnu vnu-jar@26.9.27

# Power cuts at 24 000 moments of payments: some minutes.
soak-power: .venv/.development
	@POWER_CUT_ROUNDS=2000 $(BIN)/python -m pytest tests/proof/test_power_cut.py

# PAYMENTS payments, processes killed at random meanwhile: some minutes. SEED=1 for another storm;
# DATABASE=postgresql://... on databases made there for the occasion, NODES=2 behind nginx.
SEED ?= 0
NODES ?= 1
PAYMENTS ?= 3000
DATABASE ?=
storm: .venv/.development
	@TEST_DATABASE_URL='$(DATABASE)' $(BIN)/python -m tests.proof.storm $(PAYMENTS) $(SEED) $(NODES)

# What the site costs, beside a yardstick of the same run: some six minutes. ONLY=page for one.
bench: .venv/.development
	@$(BIN)/python -m tests.bench $(ONLY)

# The last hour before the limit date, on the real site behind nginx, then so many times more
# families; the hour is played in MINUTES. Then SIGNINS of them at one instant: `make signins`.
FAMILIES ?= 200
MINUTES ?= 3
TIMES ?= 1 10
rush: .venv/.development
	@$(BIN)/python -m tests.load.rush $(FAMILIES) $(MINUTES) $(TIMES)
	@$(BIN)/python -m tests.load.signins $(SIGNINS)

# Families who send their password at one instant, behind nginx, while others read.
SIGNINS ?= 200
signins: .venv/.development
	@$(BIN)/python -m tests.load.signins $(SIGNINS)

# The site under each server, behind nginx and not. Needs wrk and nginx; `SERVER=granian` tries one.
SECONDS ?= 5
servers: .venv/.development
	@$(BIN)/python -m tests.load.servers $(SECONDS) $(SERVER)

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

# Pin again from pyproject.toml, all of it, on purpose. What a town installs is known by its hashes:
# those of PyPI, for every platform, whatever other index this machine has.
COMPILE := $(BIN)/pip-compile -q --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links
requirements: export PIP_CONFIG_FILE := /dev/null
requirements: export PIP_FIND_LINKS :=
requirements: .venv/.development
	@$(COMPILE) --generate-hashes -o requirements.txt pyproject.toml
	@$(COMPILE) --generate-hashes --extra postgresql -c requirements.txt -o requirements-postgresql.txt pyproject.toml
	@$(COMPILE) --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

# What a machine without a network needs, for one like this one: `deploy/install --wheels data/wheels`.
# For another: `make wheels FOR="--python-version 3.13 --platform manylinux_2_28_aarch64"`.
WHEELS ?= data/wheels
FOR ?=
wheels: .venv/.runtime
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
		--only-binary=:all: $(FOR) -d $(WHEELS) -r requirements-postgresql.txt
	@echo "$(WHEELS)"

# What a town's machine runs, as CycloneDX, checked against its schema.
SBOM ?= data/sbom.json
sbom: .venv/audit/.ready
	@.venv/audit/bin/cyclonedx-py requirements requirements-postgresql.txt --pyproject pyproject.toml \
		--output-reproducible --validate --sv 1.6 --of JSON -o $(SBOM)
	@echo "$(SBOM)"

# The whole installation on a bare Debian with a systemd of its own: as root, some five minutes.
SUITE ?= bookworm
machine:
	@tests/machine/try $(SUITE)

# Is a fault known of what a town's machine runs? ADVISORIES is OSV's list for PyPI, or its folder:
# https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip. Without one, nothing is verified.
ADVISORIES ?=
audit: .venv/audit/.ready
	@.venv/audit/bin/python -m scripts.audit requirements-postgresql.txt "$(ADVISORIES)"

.venv/audit/.ready: Makefile | .venv/bin/pip
	@$(PYTHON) -m venv .venv/audit
	@.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0 packaging==26.0
	@touch $@

# Debian without python3-venv, or an interruption, leaves a folder without pip: it is begun again.
ENVIRONMENT = $(PYTHON) -c "$$CHECK_PYTHON" && echo "Installation (une fois)..." && $(PYTHON) -m venv --clear .venv
define CHECK_PYTHON
import sys
from importlib.util import find_spec
if sys.version_info < (3, 11):
    sys.exit("Python 3.11 ou plus est nécessaire.")
if not find_spec("ensurepip"):
    sys.exit("Il manque à Python de quoi installer. Sous Debian ou Ubuntu : "
             "apt-get install python%d.%d-venv" % sys.version_info[:2])
endef
export CHECK_PYTHON

.venv/bin/python:
	@$(ENVIRONMENT)

.venv/bin/pip: | .venv/bin/python
	@[ -e $@ ] || { $(ENVIRONMENT); }

.venv/.runtime: requirements.txt | .venv/bin/pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.development: requirements-dev.txt | .venv/bin/pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.runtime
