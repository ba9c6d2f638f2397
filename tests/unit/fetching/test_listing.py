from __future__ import annotations

import pytest

from alertdb.errors import BadNightError, BadNightRange
from ingest.fetching.listing import find_tarballs, nights_between, parse_md5sums, tarball_name

ADDRESS = "https://example.org/alerts/public/"


def test_the_nights_of_a_range_cross_months_and_leap_days() -> None:
    assert nights_between(20240227, 20240302) == [20240227, 20240228, 20240229, 20240301, 20240302]
    assert nights_between(20240105) == [20240105]
    assert len(nights_between(20180601, 20190531)) == 365


@pytest.mark.parametrize("night", [20240230, 2024, 20161231, 19990101, -5, 202401051])
def test_what_is_no_night(night: int) -> None:
    with pytest.raises(BadNightError, match="YYYYMMDD"):
        nights_between(night)


def test_a_range_in_the_wrong_order() -> None:
    with pytest.raises(BadNightRange, match="must not lie before"):
        nights_between(20240105, 20240104)


def test_names() -> None:
    assert tarball_name(20240105) == "ztf_public_20240105.tar.gz"
    assert tarball_name(20240105, partnership=True) == "ztf_partnership_20240105.tar.gz"


def test_only_links_to_tarballs_count() -> None:
    page = """<a href="?C=N;O=D">Name</a><A HREF='ztf_public_20240105.tar.gz'>ztf_public_2024..&gt;</a>
    <a href="/other/ztf_public_20240106.tar.gz">x</a><a href="../../ztf_public_20240107.tar.gz">up</a>
    <a href="ztf_public_20240105.tar.gz.old"><a href="ztf_public_2024.tar.gz"><a name="ztf_public_20240108.tar.gz">
    <a href="..%2F..%2Fetc%2Fztf_public_20240109.tar.gz">"""
    assert find_tarballs(page, ADDRESS) == {
        "ztf_public_20240105.tar.gz": ADDRESS + "ztf_public_20240105.tar.gz",
        "ztf_public_20240106.tar.gz": "https://example.org/other/ztf_public_20240106.tar.gz",
        "ztf_public_20240107.tar.gz": "https://example.org/ztf_public_20240107.tar.gz",
        "ztf_public_20240109.tar.gz": ADDRESS + "..%2F..%2Fetc%2Fztf_public_20240109.tar.gz",
    }


def test_md5sums_in_the_forms_that_programs_write() -> None:
    md5 = "0123456789abcdef0123456789ABCDEF"
    text = f"# sums\n{md5}  a.tar.gz\n{md5} *./x/b.tar.gz\nMD5 (c.tar.gz) = {md5}\n\n123  d.tar.gz\n<html>\n"
    assert parse_md5sums(text) == dict.fromkeys(("a.tar.gz", "b.tar.gz", "c.tar.gz"), md5.lower())
