from __future__ import annotations

import re
from pathlib import Path

import astropy.units
import pytest

from alertdb.dictionary import parse_comment, parse_view_comments
from alertdb.schema import summary_columns

SQL = Path(__file__).resolve().parents[2] / "sql"
UNITS = {"d", "s", "mag", "mag^2", "deg", "arcsec", "pix", "DN", "byte"}
TYPES = r"(?:INT|BIGINT|FLOAT|DOUBLE|DECIMAL|CHAR|VARCHAR|TEXT|DATETIME|ENUM)\b"
COLUMN = re.compile(rf"    `?(\w+)`? +({TYPES}[^']*?(?:\('[^)]*\)[^']*?)?)(?: *COMMENT '([^']*)')?,")
SCHEMA = sorted((SQL / "schema").glob("*.sql"))


def columns_of(path: Path) -> list[tuple[str, str, str]]:
    """Name, definition and comment of each column that a schema file defines, read line by line."""
    matches = (COLUMN.fullmatch(line) for line in path.read_text().splitlines())
    return [(m[1], m[2].strip(), m[3] or "") for m in matches if m]


def check(name: str, comment: str, *, nullable: bool) -> None:
    parsed = parse_comment(comment)
    assert (parsed.null != "never") == nullable, f"{name}: {comment}"
    assert parsed.unit is None or parsed.unit in UNITS, f"{name}: unit {parsed.unit}"
    assert "[" not in parsed.meaning, f"{name}: a unit that is not at the end"


def test_units_are_units() -> None:
    for unit in UNITS:
        astropy.units.Unit(unit)


@pytest.mark.parametrize("path", SCHEMA, ids=lambda path: path.stem)
def test_every_column_says_unit_and_null_rule(path: Path) -> None:
    columns = columns_of(path)
    body = path.read_text()
    defined = sum(bool(re.match(rf" +`?\w+`? +{TYPES}", line)) for line in body.splitlines())
    assert len(columns) == defined
    assert defined > 0 or "CREATE TABLE" not in body
    for name, definition, comment in columns:
        check(f"{path.name} {name}", comment, nullable="NOT NULL" not in definition)


def test_every_column_of_the_summary_says_unit_and_null_rule() -> None:
    columns = summary_columns()
    assert len(columns) == 43
    for column in columns:
        definition, _, comment = column.definition.partition(" COMMENT ")
        check(f"summary {column.name}", comment.strip("'"), nullable="NOT NULL" not in definition)


def test_every_column_of_the_light_curve_says_unit_and_null_rule() -> None:
    script = (SQL / "views" / "ztf" / "lightcurve.sql").read_text()
    comments = parse_view_comments(script)
    first_branch = script[script.index("SELECT") : script.index("FROM")]
    assert list(comments) == re.findall(r" AS (\w+)", first_branch)
    for name, comment in comments.items():
        check(f"lightcurve {name}", comment, nullable=name not in {"objectId", "jd", "fid", "kind"})


@pytest.mark.parametrize("path", sorted(SQL.rglob("*.sql")), ids=lambda path: path.stem)
def test_scripts_can_be_split_at_semicolons(path: Path) -> None:
    body = path.read_text()
    assert not re.search(r"--.*;$", body, re.MULTILINE), "a comment that ends in a semicolon"
    assert not re.search(r"'[^'\n]*;[^'\n]*'", body), "a semicolon within a string"


@pytest.mark.parametrize("comment", ["Name.", "Name. NULL: never [d]", "Name. Never NULL. [d] more", "Never NULL."])
def test_comments_without_null_rule_are_refused(comment: str) -> None:
    with pytest.raises(ValueError, match="null rule"):
        parse_comment(comment)


def test_comment_is_split_into_its_parts() -> None:
    parsed = parse_comment("Magnitude. By PSF. NULL: no source (packets: -999). [mag]")
    assert (parsed.meaning, parsed.null, parsed.unit) == ("Magnitude. By PSF.", "no source (packets: -999)", "mag")
    parsed = parse_comment("Name. Never NULL.")
    assert (parsed.meaning, parsed.null, parsed.unit) == ("Name.", "never", None)
