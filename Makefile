.PHONY: help requirements

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

requirements: ## pin the newest versions that pyproject.toml allows (needs uv)
	uv pip compile pyproject.toml --extra test --universal --fork-strategy fewest --python-version 3.11 \
	  --upgrade --quiet --custom-compile-command "make requirements" --output-file requirements.txt
