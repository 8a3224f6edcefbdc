"""Inputs are staged by content: what TFX is shown changes when, and only when, the content does."""

from __future__ import annotations

from components.example_gen.index import SEEN_FILE, Entry, ImageIndex, read_index
from components.example_gen.source import Source, real_place
from pipeline.layout import Layout
from pipeline.staging import PATTERN, stage_data, stage_schema


def layout(tmp_path):
    return Layout(tmp_path / "state", tmp_path / "store", "taxi")


def test_files_of_one_name_and_names_like_patterns_are_all_there(tmp_path):
    files = []
    for folder in ("a [1]", "b"):
        path = tmp_path / folder / "rows [x] *.csv"
        path.parent.mkdir()
        path.write_text(folder, encoding="utf-8")
        files.append(path)
    staged = stage_data(Source(tuple(files), "d" * 64), layout(tmp_path))
    assert [path.read_text(encoding="utf-8") for path in sorted(staged.glob(PATTERN))] == ["a [1]", "b"]


def test_the_same_content_is_the_same_place_wherever_it_lies_now(tmp_path):
    places = []
    for name in ("before.csv", "after.csv"):
        path = tmp_path / name
        path.write_text("rows", encoding="utf-8")
        places.append(stage_data(Source((path,), "e" * 64), layout(tmp_path)))
    assert places[0] == places[1]
    assert [path.resolve().name for path in places[1].glob(PATTERN)] == ["after.csv"]


def test_a_file_in_a_bucket_is_staged_as_its_uri(tmp_path):
    uris = ("s3://trips/a/x.csv", "s3://trips/b/x.csv?endpoint_override=minio:9000&scheme=http")
    source = Source((), "f" * 64, uris)
    staged = sorted(stage_data(source, layout(tmp_path)).glob(PATTERN))
    assert [path.name for path in staged] == ["x.csv.uri", "x.csv.uri"]
    assert [real_place(str(path)) for path in staged] == list(uris)


def test_the_same_content_may_move_from_here_to_a_bucket_and_back(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("rows", encoding="utf-8")
    for source in (Source((path,), "f" * 64), Source((), "f" * 64, ("s3://trips/rows.csv",)), Source((path,), "f" * 64)):
        (staged,) = stage_data(source, layout(tmp_path)).glob(PATTERN)
        assert real_place(str(staged)) == source.places[0]


def test_staging_the_same_again_touches_nothing_that_tfx_looks_at(tmp_path):
    source = Source((), "f" * 64, ("s3://trips/x.csv",))
    (staged,) = stage_data(source, layout(tmp_path)).glob(PATTERN)
    before = staged.stat().st_mtime_ns
    stage_data(source, layout(tmp_path))
    assert staged.stat().st_mtime_ns == before


def test_workers_are_given_the_datas_own_place_and_not_the_link(tmp_path):
    # A local file may have the name of a stand-in; a link it is all the same.
    path = tmp_path / "data" / "rows.uri"
    path.parent.mkdir()
    path.write_text("rows", encoding="utf-8")
    (staged,) = stage_data(Source((path,), "f" * 64), layout(tmp_path)).glob(PATTERN)
    assert staged.is_symlink()
    assert real_place(str(staged)) == str(path)


def test_other_content_is_another_place(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("rows", encoding="utf-8")
    assert stage_data(Source((path,), "1" * 64), layout(tmp_path)) != stage_data(Source((path,), "2" * 64), layout(tmp_path))


def test_an_edited_schema_is_staged_beside_the_old_one(tmp_path):
    schema = tmp_path / "schema.pbtxt"
    schema.write_text("one", encoding="utf-8")
    first = stage_schema(schema, layout(tmp_path))
    schema.write_text("two", encoding="utf-8")
    second = stage_schema(schema, layout(tmp_path))
    assert first != second
    assert [(folder / "schema.pbtxt").read_text(encoding="utf-8") for folder in (first, second)] == ["one", "two"]
    assert [path.name for path in second.iterdir()] == ["schema.pbtxt"]


def photos(root, seen=None):
    return Source((), "a" * 64, images=ImageIndex(root, (Entry("cbb/x.jpg", "cbb/x.jpg", "cbb", "0" * 64),), "a" * 64, seen or {}))


def test_images_are_staged_as_one_file_that_lists_them(tmp_path):
    source = photos(tmp_path / "photos")
    (staged,) = stage_data(source, layout(tmp_path)).glob(PATTERN)
    assert list(read_index(str(staged))) == [(str(tmp_path / "photos"), source.images.entries[0])]


def test_what_is_known_of_the_files_lies_where_tfx_does_not_look(tmp_path):
    staged = stage_data(photos(tmp_path / "photos"), layout(tmp_path))
    (index,) = staged.glob(PATTERN)
    before = index.stat().st_mtime_ns
    assert stage_data(photos(tmp_path / "photos", {"cbb/x.jpg": [1, 2, 3, "0" * 64]}), layout(tmp_path)) == staged
    assert index.stat().st_mtime_ns == before
    assert '"cbb/x.jpg": [1, 2, 3, ' in (staged / SEEN_FILE).read_text(encoding="utf-8")


def test_images_that_moved_are_listed_where_they_are_now(tmp_path):
    stage_data(photos(tmp_path / "before"), layout(tmp_path))
    (staged,) = stage_data(photos(tmp_path / "after"), layout(tmp_path)).glob(PATTERN)
    assert [root for root, _ in read_index(str(staged))] == [str(tmp_path / "after")]
