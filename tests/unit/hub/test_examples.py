from __future__ import annotations

from typing import TYPE_CHECKING

from example_notebook import TITLE, write_example

from alertdb.hub.examples import Example, copy_examples, list_examples

if TYPE_CHECKING:
    from pathlib import Path


def test_examples_are_listed_with_their_headings(tmp_path: Path) -> None:
    write_example(tmp_path)
    (tmp_path / "02_broken.ipynb").write_text("{")
    (tmp_path / "03_bare.ipynb").write_text('{"cells": []}')
    (tmp_path / "README.md").touch()
    assert list_examples(tmp_path) == [
        Example("01_brightest.ipynb", TITLE),
        Example("02_broken.ipynb", "02_broken"),
        Example("03_bare.ipynb", "03_bare"),
    ]
    assert list_examples(tmp_path / "nowhere") == []


def test_a_copy_leaves_what_its_user_changed(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "home" / "examples"
    source.mkdir()
    first = write_example(source)
    copy_examples(source, target)
    assert (target / first.name).read_text() == first.read_text()
    (target / first.name).write_text("mine")
    (source / "02_new.ipynb").write_text("new")
    copy_examples(source, target)
    assert (target / first.name).read_text() == "mine"
    assert (target / "02_new.ipynb").read_text() == "new"
