"""From paths to sources, and what is said when there is nothing to load."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alertdb.errors import SourceFolderEmpty, SourceMissing, SourceUnknown, SourceUnreadable
from ingest.tarballs import Source, find_sources, open_packets

if TYPE_CHECKING:
    from collections.abc import Iterator


def touch(path: Path, size: int = 3) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(b"x" * size)
    return path


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may read everything: become somebody who may not."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ztf_public_20180819.tar.gz", "tar.gz"),
        ("night.1.tgz", "tar.gz"),
        ("night.tar", "tar"),
        ("516171791415015025.avro", "avro"),
    ],
)
def test_a_file_is_one_source(tmp_path: Path, name: str, kind: str) -> None:
    path = touch(tmp_path / name, 17)
    (source,) = find_sources([path])
    assert (source.path, source.name, source.kind, source.bytes) == (path, name, kind, 17)


def test_a_folder_gives_its_tarballs_and_itself_for_its_packets(tmp_path: Path) -> None:
    folder = tmp_path / "night.avro"
    for name in ("b.tar", "a.tar.gz", "1.avro", "2.avro", "MD5SUMS", ".hidden.tar", "inside/c.tar"):
        touch(folder / name)
    assert find_sources([folder]) == [
        Source(folder / "a.tar.gz", "a.tar.gz", "tar.gz", 3),
        Source(folder / "b.tar", "b.tar", "tar", 3),
        Source(folder, "night.avro", "folder", 6),
    ]


def test_a_thing_named_twice_is_loaded_once_and_names_decide_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, early = touch(tmp_path / "a" / "2.tar"), touch(tmp_path / "b" / "1.tar")
    (tmp_path / "link.tar").symlink_to(late)
    monkeypatch.chdir(tmp_path)
    sources = find_sources([late, Path("a/2.tar"), tmp_path / "a", tmp_path / "link.tar", early])
    assert [source.path for source in sources] == [early, late]


def test_the_folder_one_stands_in_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(touch(tmp_path / "night" / "1.avro").parent)
    assert find_sources([Path()])[0].name == "night"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.zip", r"a\.zip is a file of another kind; expected a \.tar\.gz, \.tgz, \.tar or \.avro file"),
        ("README", r"README is a file without an ending; expected"),
    ],
)
def test_a_file_of_another_kind(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(SourceUnknown, match=message):
        find_sources([touch(tmp_path / name)])


def test_what_is_no_file_at_all(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tar.gz")
    with pytest.raises(SourceUnknown, match=r"a\.tar\.gz is no regular file; expected"):
        find_sources([tmp_path / "a.tar.gz"])


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"b\.tar does not exist\. Name \.tar\.gz"):
        find_sources([touch(tmp_path / "a.tar"), tmp_path / "b.tar"])


@pytest.mark.parametrize(
    ("names", "holds"),
    [
        ([], "nothing"),
        (["a.txt", "b.txt", "c", "d/x.tar"], "2 x .txt, 1 x no ending, 1 x folder"),
    ],
)
def test_a_folder_with_nothing_to_load(tmp_path: Path, names: list[str], holds: str) -> None:
    for name in names:
        touch(tmp_path / "night" / name)
    (tmp_path / "night").mkdir(exist_ok=True)
    with pytest.raises(SourceFolderEmpty, match=f"night holds {holds}; expected .tar.gz"):
        find_sources([tmp_path / "night"])


@pytest.mark.usefixtures("nobody")
def test_what_one_may_not_read() -> None:
    with pytest.raises(SourceUnreadable, match=r"cannot be read: Permission denied\. Mend that"):
        find_sources([Path("/proc/1/root/night.tar")])
    with pytest.raises(SourceUnreadable, match=r"cannot be read: Permission denied\. Mend that"):
        open_packets(Source(Path("/proc/1/environ"), "environ", "tar", 1))


def test_what_is_gone_or_a_folder_by_now(tmp_path: Path) -> None:
    (source,) = find_sources([touch(tmp_path / "a.tar")])
    source.path.unlink()
    with pytest.raises(SourceUnreadable, match=r"a\.tar cannot be read: No such file or directory"):
        open_packets(source)
    source.path.mkdir()
    with pytest.raises(SourceUnreadable, match=r"a\.tar cannot be read: Is a directory"):
        open_packets(source)
