"""ExampleGen and the data gate with TFX and Beam as they are: what goes in comes out, in its split, and what is broken is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.example_gen.corrupt import REPORT_FILE
from components.example_gen.reading import IMAGE_COLUMNS, Reading
from components.example_gen.source import check_source
from configs.errors import UsageError
from pipeline.layout import Layout
from pipeline.staging import PATTERN, stage_data
from tests.fakes.photos import picture, write_photos

CLASSES = ("cbb", "healthy")
SCHEMA = "".join(
    f'feature {{ name: "{name}" type: {kind} presence {{ min_fraction: 1 }} shape {{ dim {{ size: 1 }} }} }}\n'
    for name, kind in IMAGE_COLUMNS.items()
)


class Ran:
    """What the nodes of the data gate came to."""

    def __init__(self, home: Path, outcome, events) -> None:
        self.outcome = outcome
        self.figures = {event.name: event.figure for event in events if event.ended}
        self.states = {event.name: event.state for event in events if event.ended}
        (self.folder,) = (home / "artifacts" / "ExampleGen" / "examples").iterdir()

    def examples(self) -> dict[str, list[dict]]:
        """Split to examples, as plain values."""
        import tensorflow as tf

        found = {}
        for split in ("train", "eval"):
            files = sorted(map(str, (self.folder / f"Split-{split}").glob("*.gz")))
            records = tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator()
            found[split] = [_plain(tf.train.Example.FromString(record)) for record in records]
        return found


def _plain(example) -> dict:
    kinds = {name: getattr(feature, feature.WhichOneof("kind") or "bytes_list") for name, feature in example.features.feature.items()}
    return {name: kind.value[0] for name, kind in kinds.items() if kind.value}


@pytest.fixture
def run(tmp_path):
    """Runs ExampleGen, StatisticsGen and ExampleValidator on a place."""

    def run(text, reading, schema=SCHEMA, rows=None) -> Ran:
        from tfx import components as stock
        from tfx.dsl.components.common.importer import Importer
        from tfx.orchestration import metadata, pipeline
        from tfx.types import standard_artifacts

        from components.example_gen.component import ExampleGen
        from components.example_validator.component import ExampleValidator
        from pipeline.runners.local import LocalRunner

        layout = Layout(tmp_path / "state", tmp_path / "store", "leaves")
        data = stage_data(check_source(str(text), reading), layout)
        (tmp_path / "schema").mkdir(exist_ok=True)
        (tmp_path / "schema" / "schema.pbtxt").write_text(schema, encoding="utf-8")
        example_gen = ExampleGen(str(data), PATTERN, reading, rows=rows, train_buckets=2, eval_buckets=1, code="code")
        examples = example_gen.outputs["examples"]
        statistics = stock.StatisticsGen(examples=examples)
        kept = Importer(source_uri=str(tmp_path / "schema"), artifact_type=standard_artifacts.Schema).with_id("Schema")
        judged = {"statistics": statistics.outputs["statistics"], "schema": kept.outputs["result"]}
        images = reading.reader == "images"
        gate = ExampleValidator(**judged, examples=examples) if images else stock.ExampleValidator(**judged)
        nodes = pipeline.Pipeline(
            pipeline_name="leaves",
            pipeline_root=str(layout.artifacts),
            metadata_connection_config=metadata.sqlite_metadata_connection_config(str(layout.metadata)),
            components=[example_gen, statistics, kept, gate],
            enable_cache=True,
        )
        events: list = []
        outcome = LocalRunner().run_nodes(nodes, events.append, raw_label="label")
        return Ran(layout.home, outcome, events)

    return run


def leaves(**more) -> Reading:
    return Reading(IMAGE_COLUMNS, "images", classes=CLASSES, **more)


def test_images_become_examples_and_broken_ones_are_left_out_and_named(run, tmp_path):
    photos = write_photos(tmp_path / "photos", {"cbb": 12, "healthy": 12})
    (photos / "cbb" / "empty.jpg").write_bytes(b"")
    (photos / "healthy" / "deep").mkdir()
    (photos / "healthy" / "deep" / "x.PNG").write_bytes(picture(99, "PNG"))
    ran = run(photos, leaves(corrupt_share=0.1))
    assert ran.outcome.refused is None
    assert ran.figures["ExampleGen"] == "26 images, 1 corrupt left out"
    report = (ran.folder / REPORT_FILE).read_text(encoding="utf-8").splitlines()
    assert list(map(json.loads, report)) == [{"image": "cbb/empty.jpg", "why": "zero bytes"}]
    examples = ran.examples()
    found = {example["name"].decode(): example for split in examples.values() for example in split}
    assert len(found) == 25 == sum(map(len, examples.values()))
    assert min(map(len, examples.values())) > 0
    for name, example in found.items():
        assert example["image"] == (photos / name).read_bytes()
        assert example["label"].decode() == name.partition("/")[0]
    again = run(photos, leaves(corrupt_share=0.1))
    assert again.states["ExampleGen"] == "cached"
    assert again.figures == ran.figures


def test_too_many_broken_images_are_refused_by_the_data_gate(run, tmp_path):
    photos = write_photos(tmp_path / "photos", {"cbb": 10, "healthy": 9})
    (photos / "healthy" / "cut.jpg").write_bytes(picture(77)[:-40])
    ran = run(photos, leaves())
    assert ran.outcome.refused.gate == "data"
    (reason,) = ran.outcome.refused.reasons
    assert (reason.code, reason.measured, reason.limit) == ("corrupt_images", 0.05, 0.01)
    assert reason.message.startswith("1 of 20 images cannot be used (5.0%, at most 1.0%): healthy/cut.jpg (cannot be decoded: ")
    assert ran.states == {"ExampleGen": "done", "StatisticsGen": "done", "Schema": "done", "ExampleValidator": "refused"}


def test_where_every_image_is_broken_the_gate_says_so_and_nothing_fails(run, tmp_path):
    for label in CLASSES:
        (tmp_path / "photos" / label).mkdir(parents=True)
        (tmp_path / "photos" / label / "x.jpg").write_bytes(b"GIF89a")
    ran = run(tmp_path / "photos", leaves())
    assert "corrupt_images" in [reason.code for reason in ran.outcome.refused.reasons]


def test_a_budget_takes_so_many_of_each_class_and_always_the_same(run, tmp_path):
    photos = write_photos(tmp_path / "photos", {"cbb": 9, "healthy": 4})

    def names(ran):
        return sorted(example["name"].decode() for split in ran.examples().values() for example in split)

    ran = run(photos, leaves(), rows=5)
    assert ran.figures["ExampleGen"] == "9 images"
    first = names(ran)
    assert [name.partition("/")[0] for name in first] == ["cbb"] * 5 + ["healthy"] * 4
    # Another image of another class does not change which they are.
    (photos / "healthy" / "new.jpg").write_bytes(picture(200))
    layout = tmp_path / "state" / "pipelines" / "leaves" / "artifacts" / "ExampleGen" / "examples"
    for folder in layout.iterdir():
        folder.rename(tmp_path / "before")
    assert [name for name in names(run(photos, leaves(), rows=5)) if name.startswith("cbb")] == first[:5]


def test_an_image_that_changed_under_way_ends_the_run(run, tmp_path, monkeypatch):
    photos = write_photos(tmp_path / "photos", {"cbb": 2, "healthy": 2})
    from components.example_gen import index as module

    monkeypatch.setattr(module, "_digest", lambda *_: ([1, 2, 3, "0" * 64], True))
    with pytest.raises(Exception, match=r"\.jpg: changed since this run was planned; run again") as caught:
        run(photos, leaves())
    assert caught.value.exit_code == UsageError.exit_code


def test_rows_of_csv_and_parquet_files_give_the_same_examples_by_the_mapped_columns(run, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"length": "INT", "label": "BYTES", "share": "FLOAT"}
    schema = "".join(f'feature {{ name: "{name}" type: {kind} }}\n' for name, kind in types.items())
    reading = Reading(types, names={"length": "Chopstick.Length"}, key="Individual", ignore_extra=True)
    columns = {
        "share": [n / 7 for n in range(60)],
        "Individual": [n % 7 for n in range(60)],
        "label": ["good", "poor"] * 30,
        "Chopstick.Length": list(range(60)),
        "x": [0.5] * 60,
    }
    for kind in ("csv", "parquet"):
        (tmp_path / kind).mkdir()
    pq.write_table(pa.table(columns), tmp_path / "parquet" / "rows.parquet", row_group_size=25)
    # As somebody else may write the same person.
    written = {**columns, "Individual": [f"{n % 7:0{1 + n % 4}d}" + ".0" * (n % 3 == 0) for n in range(60)]}
    lines = [",".join(written), *(",".join(map(str, row)) for row in zip(*written.values(), strict=True))]
    (tmp_path / "csv" / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = {}
    for kind in ("csv", "parquet"):
        examples = run(tmp_path / kind, reading, schema).examples()
        found[kind] = {split: sorted((row["length"], row["label"]) for row in rows) for split, rows in examples.items()}
        (folder,) = (tmp_path / "state" / "pipelines" / "leaves" / "artifacts" / "ExampleGen" / "examples").iterdir()
        folder.rename(tmp_path / f"ran-{kind}")
    assert found["csv"] == found["parquet"]
    parted = {split: {length % 7 for length, _ in rows} for split, rows in found["csv"].items()}
    assert parted["train"] | parted["eval"] == set(range(7))
    assert parted["train"] & parted["eval"] == set(), "a person's rows stay together"
