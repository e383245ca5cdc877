# `make` alone lists what there is to do.
.DEFAULT_GOAL := help
ARGS ?=
VENV := .venv/bin
SETUP := PYTHON="$(PYTHON)" deploy/bootstrap.sh

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## See it work: set up, then watch one day of posts (ARGS=--once: run to the end and stop)
	@$(SETUP)
	@$(VENV)/moodwire demo $(ARGS)

test: ## Set up, lint, run every test (ARGS: pytest's own, such as -k decode)
	@$(SETUP) --extra dev
	@$(MAKE) --no-print-directory lint
	$(VENV)/pytest $(ARGS)

lint: ## Check style, types, layers and spelling
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports --no-cache
	$(VENV)/codespell

format: ## Format the code and sort its imports
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

setup: ## Environment, packages with the development tools, Prism
	@$(SETUP) --extra dev

prism: ## Build Prism, Beam's runner for one machine, alone
	@$(SETUP) --only-prism

doctor: ## Say what this machine lacks, with the remedy (ARGS='--settings FILE')
	@$(VENV)/moodwire doctor $(ARGS)

up: ## Start Kafka, Flink and, where installed, Prometheus and Alertmanager (needs Java 17; mends what died)
	@$(SETUP)
	@$(VENV)/python -m deploy.stack up $(ARGS)

down: ## Stop all that `make up` started; data and jobs stay under .run
	@$(VENV)/python -m deploy.stack down

status: ## Say what of `make up` runs, where, and where its log is
	@$(VENV)/python -m deploy.stack status

schemas: ## Write the JSON Schemas of the records again
	$(VENV)/python -m schemas.export

screenshots: ## Take the pictures in docs/screenshots again
	MOODWIRE_SCREENSHOTS=1 $(VENV)/pytest tests/end_to_end/test_live_page.py tests/end_to_end/test_incident_page.py tests/end_to_end/test_search_page.py tests/end_to_end/test_quality_page.py tests/end_to_end/test_command_bar.py -k screenshots $(ARGS)

chaos: ## Kill every part of the stack while posts come in and compare (ARGS='--faults broker --runs 1')
	$(VENV)/python -m tests.end_to_end.chaos.main $(ARGS)

clean: ## Remove caches and run folders (keeps .venv and .tools)
	rm -rf .run out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: help demo test lint format setup prism doctor up down status schemas screenshots chaos clean
