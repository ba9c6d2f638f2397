"""Downloads from a web server on the loopback whose connections break, whose files change, and who is busy."""

from __future__ import annotations

import fcntl
import gzip
import random
from typing import TYPE_CHECKING

import pytest
from web_archive import WebArchive, web_archive

from alertdb.errors import (
    ArchiveRefused,
    ArchiveUnreachable,
    BadArchiveUrl,
    FetchedFileDiffers,
    FetchedWrong,
    FetchNotWritten,
    FetchUnderWay,
    NoRoom,
)
from ingest.fetching import download
from ingest.fetching.download import Fetched, fetch_tarball
from ingest.fetching.web import Patience, Web, read_listing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "ztf_public_20240105.tar.gz"
OTHER = "ztf_public_20240106.tar.gz"
DATA = gzip.compress(random.Random(1).randbytes(300_000))
NEWER = gzip.compress(random.Random(2).randbytes(310_001))


@pytest.fixture
def archive() -> Iterator[WebArchive]:
    with web_archive() as archive:
        archive.files = {NAME: DATA, OTHER: NEWER}
        yield archive


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def web(pauses: list[float], told: list[str]) -> Web:
    return Web(lambda: Patience(tries=4, sleep=pauses.append, tell=told.append))


def fetch(web: Web, archive: WebArchive, folder: Path) -> Fetched:
    return fetch_tarball(web, read_listing(web, archive.url), NAME, folder)


def test_a_tarball_is_fetched_verified_and_skipped_the_next_time(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    listing = read_listing(web, archive.url)
    fetched = fetch_tarball(web, listing, NAME, tmp_path / "new", lambda *step: steps.append(step))
    assert fetched == Fetched(tmp_path / "new" / NAME, len(DATA), was_there=False, verified=True)
    assert fetched.path.read_bytes() == DATA
    assert steps[-1] == (len(DATA), len(DATA))
    assert [path.name for path in (tmp_path / "new").iterdir()] == [NAME]
    assert fetch_tarball(web, listing, NAME, tmp_path / "new").was_there
    assert archive.asked(NAME) == [None]
    assert all(headers["User-Agent"].startswith("alertdb/") for _, _, headers in archive.requests)


@pytest.mark.parametrize(("tags", "dates"), [(True, True), (False, True)])
def test_a_broken_connection_is_resumed(
    web: Web, archive: WebArchive, tmp_path: Path, pauses: list[float], tags: bool, dates: bool
) -> None:
    archive.cuts, archive.tags, archive.dates = [100_000, 50_000, 0, 1], tags, dates
    assert fetch(web, archive, tmp_path).path.read_bytes() == DATA
    assert archive.asked(NAME) == [None, "bytes=100000-", "bytes=150000-", "bytes=150000-", "bytes=150001-"]
    assert len(pauses) == 4


@pytest.mark.parametrize(("ranges", "tags", "dates"), [(False, True, True), (True, False, False)])
def test_a_server_that_cannot_resume_is_asked_for_all_again(
    web: Web, archive: WebArchive, tmp_path: Path, ranges: bool, tags: bool, dates: bool
) -> None:
    archive.cuts = [200_000, 1000]
    archive.ranges, archive.tags, archive.dates = ranges, tags, dates
    assert fetch(web, archive, tmp_path).path.read_bytes() == DATA
    assert len(archive.asked(NAME)) == 3


def test_the_next_run_resumes_what_one_gave_up(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    archive.cuts = [100_000, 0, 0, 0, 0]
    with pytest.raises(ArchiveUnreachable, match="in 4 attempts .*100000 of .*goes on from there"):
        fetch(web, archive, tmp_path)
    assert (tmp_path / f"{NAME}.part").stat().st_size == 100_000
    assert not (tmp_path / NAME).exists()
    archive.cuts.clear()
    archive.requests.clear()
    assert fetch(web, archive, tmp_path).path.read_bytes() == DATA
    assert archive.asked(NAME) == ["bytes=100000-"]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_file_that_changed_between_two_attempts_is_fetched_anew(
    web: Web, archive: WebArchive, tmp_path: Path
) -> None:
    archive.cuts = [100_000, 0, 0, 0]
    with pytest.raises(ArchiveUnreachable):
        fetch(web, archive, tmp_path)
    archive.files[NAME] = NEWER
    assert fetch(web, archive, tmp_path).path.read_bytes() == NEWER


def test_a_file_that_became_shorter(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    archive.cuts = [200_000, 0, 0, 0]
    with pytest.raises(ArchiveUnreachable):
        fetch(web, archive, tmp_path)
    notes = tmp_path / f"{NAME}.part.json"
    short = gzip.compress(b"short")
    archive.files[NAME] = short
    notes.write_text(notes.read_text().replace(archive_tag(DATA), archive_tag(short)))  # a server that mixes tags up
    assert fetch(web, archive, tmp_path).path.read_bytes() == short


def archive_tag(data: bytes) -> str:
    from web_archive import tag_of

    return tag_of(data).strip('"')


@pytest.mark.parametrize("notes", ["", "[]", "{", '{"validator": 5}'])
def test_a_part_without_usable_notes_is_begun_anew(web: Web, archive: WebArchive, tmp_path: Path, notes: str) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"from somewhere else")
    (tmp_path / f"{NAME}.part.json").write_text(notes)
    assert fetch(web, archive, tmp_path).path.read_bytes() == DATA


def test_a_wrong_part_is_found_by_its_sum_and_fetched_anew(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    archive.cuts = [100_000, 0, 0, 0]
    with pytest.raises(ArchiveUnreachable):
        fetch(web, archive, tmp_path)
    with (tmp_path / f"{NAME}.part").open("r+b") as part:
        part.seek(5000)
        part.write(b"damage")
    assert fetch(web, archive, tmp_path).path.read_bytes() == DATA
    assert archive.asked(NAME)[-2:] == ["bytes=100000-", None]


def test_a_wrong_sum_is_refused_and_nothing_is_kept(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    archive.wrong = {NAME}
    with pytest.raises(FetchedWrong, match=f"has the MD5 sum .*expected {'0' * 32}"):
        fetch(web, archive, tmp_path)
    assert not (tmp_path / NAME).exists()
    assert (tmp_path / f"{NAME}.part").stat().st_size == 0
    assert len(archive.asked(NAME)) == 2


def test_a_page_in_the_place_of_a_tarball_is_refused(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    archive.sums, archive.files = False, {NAME: b"<html>please log in</html>"}
    with pytest.raises(FetchedWrong, match="begins with b'<html>.*expected a gzip file"):
        fetch(web, archive, tmp_path)
    assert not (tmp_path / NAME).exists()


def test_without_sums_the_size_counts(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    archive.sums = False
    assert not fetch(web, archive, tmp_path).verified
    assert fetch(web, archive, tmp_path).was_there
    (tmp_path / NAME).write_bytes(DATA[:1000])
    with pytest.raises(FetchedFileDiffers, match=f"it has 1000 bytes, the archive's file {len(DATA)}"):
        fetch(web, archive, tmp_path)


def test_another_file_of_that_name_is_left_alone(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"precious")
    with pytest.raises(FetchedFileDiffers, match="move it away"):
        fetch(web, archive, tmp_path)
    assert (tmp_path / NAME).read_bytes() == b"precious"
    assert archive.asked(NAME) == []


def test_a_busy_server_is_given_time(web: Web, archive: WebArchive, tmp_path: Path, pauses: list[float]) -> None:
    listing = read_listing(web, archive.url)
    archive.busy, archive.retry_after = [503, 429], "7"
    assert fetch_tarball(web, listing, NAME, tmp_path).path.read_bytes() == DATA
    assert pauses == [7, 7]


def test_pauses_grow_and_differ(web: Web, archive: WebArchive, tmp_path: Path, pauses: list[float]) -> None:
    listing = read_listing(web, archive.url)
    archive.busy = [503] * 4
    with pytest.raises(ArchiveUnreachable, match="503 Service Unavailable"):
        fetch_tarball(web, listing, NAME, tmp_path)
    assert [1 <= pauses[0] <= 1.5, 2 <= pauses[1] <= 3, 4 <= pauses[2] <= 6] == [True] * 3
    assert len(pauses) == 3


def test_no_pause_lasts_for_hours(web: Web, archive: WebArchive, tmp_path: Path, pauses: list[float]) -> None:
    listing = read_listing(web, archive.url)
    archive.busy, archive.retry_after = [503, 503], "Fri, 31 Dec 2099 23:59:59 GMT"
    fetch_tarball(web, listing, NAME, tmp_path)
    assert pauses == [300, 300]


def test_redirections_are_followed(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    archive.moved, archive.cuts = True, [100_000]
    assert fetch(web, archive, tmp_path).path.read_bytes() == DATA
    assert archive.asked(f"/mirror/{NAME}") == [None, "bytes=100000-"]


def test_what_is_gone_by_now_is_told(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    listing = read_listing(web, archive.url)
    del archive.files[NAME]
    with pytest.raises(ArchiveRefused, match="404 Not Found"):
        fetch_tarball(web, listing, NAME, tmp_path)


def test_no_room_is_told_before_a_byte_is_written(
    web: Web, archive: WebArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SPARE", 1 << 60)
    with pytest.raises(NoRoom, match="make room"):
        fetch(web, archive, tmp_path)
    assert (tmp_path / f"{NAME}.part").stat().st_size == 0


def test_two_at_once_do_not_mix(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    with (tmp_path / f"{NAME}.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FetchUnderWay, match="another process"):
            fetch(web, archive, tmp_path)


def test_a_folder_that_cannot_be_made(web: Web, archive: WebArchive, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchNotWritten, match="cannot write"):
        fetch(web, archive, tmp_path / "file" / "folder")


@pytest.mark.parametrize("url", ["file:///etc/", "ftp://example.org/", "example.org/alerts", "", "http://"])
def test_addresses_that_are_none(web: Web, url: str) -> None:
    with pytest.raises(BadArchiveUrl, match="expected one like https://"):
        read_listing(web, url)


def test_nobody_is_there(web: Web, pauses: list[float], told: list[str]) -> None:
    with pytest.raises(ArchiveUnreachable, match="Connection refused"):
        read_listing(web, "http://127.0.0.1:9/")
    assert len(pauses) == 3
    for line, pause, left in zip(told, pauses, (3, 2, 1), strict=True):
        words = f"http://127.0.0.1:9/: Connection refused; trying again in {pause:.0f} s, {left} times at most"
        assert line == words
