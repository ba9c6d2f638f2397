.PHONY: help demo test lint docs requirements upgrade

COMPILE = uv pip compile pyproject.toml --universal --fork-strategy fewest --python-version 3.11 \
	  --quiet --custom-compile-command "make requirements"

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: ## install, make an archive of simulated alerts, show it
	./demo.sh

test: ## check style and types, run all tests
	./test.sh

lint: ## mend style, check types and shell scripts
	./setup.sh
	.venv/bin/ruff check --fix
	.venv/bin/ruff format
	.venv/bin/mypy
	shellcheck *.sh .ci/run tests/support/*.sh containers/*/*.sh

docs: ## write docs/tables.md from the column comments (of the running archive)
	.venv/bin/python -m alertdb.dictionary > docs/tables.new
	mv docs/tables.new docs/tables.md

requirements: ## pin what pyproject.toml asks for, keeping other pins (needs uv)
	$(COMPILE) --extra couchbase --extra test --output-file requirements.txt
	$(COMPILE) --extra hub --constraint requirements.txt --output-file requirements-hub.txt
	$(COMPILE) --extra browser --constraint requirements-hub.txt --output-file requirements-browser.txt

upgrade: ## pin the newest versions that pyproject.toml allows (needs uv)
	rm -f requirements*.txt
	$(MAKE) requirements
