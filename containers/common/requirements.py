"""Print what `alertdb` needs, as pyproject.toml has it: requirements.py [EXTRA…]. pip gets the versions elsewhere."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = [line for extra in sys.argv[1:] for line in project["optional-dependencies"][extra]]
print("\n".join([*project["dependencies"], *extras]))  # noqa: T201
