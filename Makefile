# Two commands: `make run` shows a published patient, on the terminal and in the app; `make test` passes the tests.
PYTHON ?= python3
BIN := .venv/bin
RUN := .venv/.run
DEV := .venv/.dev
PORT ?= 8420

.PHONY: help run stop test test-all check docs images bench lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(RUN): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "poems needs Python 3.11 or newer; say which with: make PYTHON=python3.11 ...")'
	@echo "Setting up .venv (once, about half a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(RUN) requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: $(RUN)  ## the review of a published patient, a course after treatment, and the app that shows both
	@$(BIN)/poems assess poems/examples/published-case.csv --as-of 2020-08-01 --format html -o review.html
	@$(BIN)/poems assess poems/examples/published-case.csv --as-of 2020-08-01
	@$(BIN)/poems follow poems/examples/published-course.csv --as-of 2020-10-10 --format html -o course.html
	@echo
	@echo "The same review as a page: review.html      A course after treatment: course.html"
	@echo "Your own record:           $(BIN)/poems assess RECORD.csv   (or a FHIR Bundle, a phenopacket; see README.md)"
	@echo "A sheet to carry along:    $(BIN)/poems report RECORD.csv --edition patient -o sheet.pdf"
	@echo "A question:                $(BIN)/poems ask \"how is it treated?\""
	@echo "What stands behind a line: $(BIN)/poems knowledge show mayo-2007"
	@echo "The app, open at this patient (make stop ends it):"
	@$(BIN)/poems serve --example --background --port $(PORT)

stop:  ## end the app that make run has started
	@$(BIN)/poems serve --stop --port $(PORT)

test: $(DEV)  ## the tests, without the slow ones (some minutes)
	$(BIN)/python -m pytest -n auto

test-all: $(DEV)  ## every test, deep agreement and fuzzing too
	$(BIN)/python -m pytest -n auto -m "slow or not slow"

check: $(DEV)  ## lint, types, knowledge: seconds
	$(BIN)/ruff check poems tests bench docs
	$(BIN)/mypy
	$(BIN)/poems knowledge check

docs: $(DEV)  ## what is generated in docs: the JSON Schemas of a review and of a course
	$(BIN)/python -m poems.render.schema > docs/assess.schema.json
	$(BIN)/python -m poems.render.follow_schema > docs/follow.schema.json

images: $(DEV)  ## the pictures of the README, by a real browser (chromium must be there)
	$(BIN)/python docs/make_images.py

bench: $(DEV)  ## the figures of docs/performance.md, measured here
	$(BIN)/python -m bench
	$(BIN)/python -m bench.serve

lock: $(DEV)  ## the locked dependencies anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra build -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --all-extras -c requirements.lock -o requirements-dev.lock

clean:  ## remove what was set up or made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis review.html course.html
