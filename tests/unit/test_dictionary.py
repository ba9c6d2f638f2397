from __future__ import annotations

from alertdb.dictionary import Column, Table, render

EXPECTED = """\
## stars

Stars that were seen.

Keys: primary (name); bright (mag, name).

| column | type | unit | NULL | meaning |
|---|---|---|---|---|
| `name` | varchar(32) |  | never | Name a\\|b. |
| `mag` | float | mag | not seen | Magnitude. |
"""


def test_a_table_becomes_markdown() -> None:
    columns = [
        Column("name", "varchar(32)", "Name a|b. Never NULL."),
        Column("mag", "float", "Magnitude. NULL: not seen. [mag]"),
    ]
    table = Table("stars", "Stars that were seen", columns, {"PRIMARY": ["name"], "bright": ["mag", "name"]})
    page = render([table], "sky")
    assert page.startswith("# The tables\n")
    assert "`sky_public`" in page
    assert page.endswith(f"\n{EXPECTED}")
