# Two commands are all it takes: make up, make test. Everything else is below project/local/.
PYTHON ?= python3
STOCK ?= ample
LOCAL = $(PYTHON) project/local/bootstrap.py

.PHONY: up test check schema docs audit-pins demo chaos bench reset help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

up: ## run the shop until Ctrl-C (PORT=8000)
	@exec $(LOCAL) up

test: ## run every test on servers of its own (ARGS=… for pytest)
	@exec $(LOCAL) test -- $(ARGS)

check: ## ruff, import contracts, deployment checks, missing migrations
	@exec $(LOCAL) check

schema: ## write docs/openapi.yaml anew
	@exec $(LOCAL) run -- manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

docs: ## write docs/sagas.md, docs/events.md and docs/schemas anew
	@$(LOCAL) run -- manage.py saga_docs
	@exec $(LOCAL) run -- manage.py event_docs

audit-pins: ## compare the pins with PyPI's advisories (needs the internet)
	@$(PYTHON) -m venv var/audit-pins && var/audit-pins/bin/pip install --quiet pip-audit==2.10.1
	@var/audit-pins/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.txt

demo: ## a real shop's sales through checkout (FILE=…, STOCK=ample|scarce, ARGS=…)
	@exec $(LOCAL) demo --file "$(FILE)" --stock "$(STOCK)" -- $(ARGS)

chaos: ## kill everything at random under load, then judge (MINUTES=5, SEED=…)
	@$(LOCAL)
	@exec .venv/bin/python -m chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: ## checkout sagas beside DBOS, a Celery chain, oscar; WHAT=events: events (ARGS="--only PART --json")
	@$(LOCAL) && exec .venv/bin/python -m bench $(or $(WHAT),sagas) $(ARGS)

reset: ## throw var/ away after asking (YES=1: without)
	@exec $(LOCAL) reset $(if $(YES),--yes)
