from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alertdb.errors import ParameterMissing, ParameterUnusable
from alertdb.parameters import bind, first_word


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (3, "3"),
        (-(2**63), "-9223372036854775808"),
        (np.int64(1642404680815015001), "1642404680815015001"),
        (True, "1"),
        (None, "NULL"),
        (1.5, "1.5e0"),  # without the exponent MariaDB takes it for a DECIMAL
        (1e300, "1e+300"),
        (np.float32(0.5), "0.5e0"),
        ("ZTF21abiuvdk", "'ZTF21abiuvdk'"),
        ("O'Neill", "_utf8mb4 X'4f274e65696c6c'"),
        ("\\", "_utf8mb4 X'5c'"),
        ("é", "_utf8mb4 X'c3a9'"),
        (b"\x00\xff", "X'00ff'"),
        (datetime(2021, 7, 1, 2, 3, 4), "'2021-07-01 02:03:04'"),
        (pd.Timestamp("2021-07-01"), "'2021-07-01 00:00:00'"),
        (date(2021, 7, 1), "'2021-07-01'"),
        ([1, 2], "(1, 2)"),
        ((1,), "(1)"),
        (np.array([1, 2]), "(1, 2)"),
        (pd.Series(["a", "b"]), "('a', 'b')"),
        ([], "(SELECT NULL FROM DUAL WHERE FALSE)"),
    ],
)
def test_values_become_literals(value: Any, literal: str) -> None:
    assert bind("SELECT :x", {"x": value}) == f"SELECT {literal}"


def test_a_list_takes_the_parentheses_that_are_there() -> None:
    assert bind("a IN (:x) AND b IN ( :y ) AND c IN :z", {"x": [1, 2], "y": [3], "z": [4]}) == (
        "a IN (1, 2) AND b IN ( 3 ) AND c IN (4)"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT ':x'",
        'SELECT ":x"',
        "SELECT `:x`",
        "SELECT 'it''s :x'",
        r"SELECT 'it\'s :x'",
        "SELECT 1 -- :x",
        "SELECT 1 # :x",
        "SELECT /* :x \n :x */ 1",
        "SELECT @a::x",
        "SELECT '12:30:00'",
    ],
)
def test_texts_names_and_comments_hold_no_places(statement: str) -> None:
    assert bind(statement + "\n, :y", {"y": 1}) == statement + "\n, 1"


def test_without_values_nothing_is_touched() -> None:
    assert bind("SELECT :x, 7 % 4, '?'", {}) == "SELECT :x, 7 % 4, '?'"


def test_a_place_without_value_and_a_value_without_place() -> None:
    with pytest.raises(ParameterMissing, match="':b' without a value.*given for: a"):
        bind("SELECT :a, :b", {"a": 1})
    with pytest.raises(ParameterMissing, match="no place for: :b, :c"):
        bind("SELECT :a", {"a": 1, "b": 2, "c": 3})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": 1}, object(), [1.0, float("nan")]])
def test_values_that_sql_does_not_know(value: object) -> None:
    with pytest.raises(ParameterUnusable, match="':x'"):
        bind("SELECT :x", {"x": value})


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("select 1", "SELECT"),
        ("-- why\n# and\n /* how */ ((SELECT 1))", "SELECT"),
        ("--1", ""),
        ("", ""),
        ("/*!50000 DELETE */", ""),
    ],
)
def test_first_word(statement: str, word: str) -> None:
    assert first_word(statement) == word
