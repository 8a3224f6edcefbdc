"""Images are found by folder or by label CSV; what names a class or a file that there is not is one line."""

from __future__ import annotations

import pytest

from components.example_gen.images import find_images
from components.example_gen.reading import IMAGE_COLUMNS, Reading
from configs.errors import ConfigError, UsageError

CLASSES = ("cbb", "healthy")
READING = Reading(IMAGE_COLUMNS, "images", classes=CLASSES)


def reading(**more):
    return Reading(IMAGE_COLUMNS, "images", classes=CLASSES, **more)


@pytest.fixture
def data(tmp_path):
    """A tree of files that nobody looks into."""
    for name in ("cbb/b.jpg", "cbb/a.JPEG", "cbb/old/deep/x.Png", "healthy/a.jpg", "cbb/notes.txt", ".git/x.jpg", "cbb/.x.jpg", "README"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def found(text, how=READING):
    there = find_images(str(text), how)
    return there.root, {image.path: image.label for image in there.images}


def test_a_folder_is_a_class_and_what_lies_in_it_are_its_images(data):
    expected = {"cbb/a.JPEG": "cbb", "cbb/b.jpg": "cbb", "cbb/old/deep/x.Png": "cbb", "healthy/a.jpg": "healthy"}
    assert found(data) == (data, expected)


def test_files_that_are_no_images_are_told_and_hidden_ones_are_not(data):
    (data / "healthy" / "deep").mkdir()
    (data / "healthy" / "deep" / "a.webp").touch()
    (data / "healthy" / "deep" / b"\xff.txt".decode(errors="surrogateescape")).touch()
    others = ("cbb/notes.txt", "healthy/deep/a.webp", "healthy/deep/\udcff.txt")
    assert find_images(str(data), READING).others == others


def test_a_linked_folder_is_followed_and_each_folder_once(data, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "y.jpg").touch()
    (elsewhere / "back").symlink_to(elsewhere)
    for name, target in (
        ("cbb/linked", elsewhere),
        ("cbb/again", elsewhere),
        ("cbb/old/up", data / "cbb"),
        ("healthy/a", data / "healthy"),
    ):
        (data / name).symlink_to(target)
    (data / "cbb" / "a link to old").symlink_to("old")
    expected = {"cbb/a.JPEG", "cbb/again/y.jpg", "cbb/b.jpg", "cbb/old/deep/x.Png", "healthy/a.jpg"}
    assert set(found(data)[1]) == expected


def test_a_folder_that_two_classes_link_to_is_in_both(data, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "y.jpg").touch()
    for name in ("cbb", "healthy"):
        (data / name / "linked").symlink_to(elsewhere)
    images = found(data)[1]
    assert (images["cbb/linked/y.jpg"], images["healthy/linked/y.jpg"]) == ("cbb", "healthy")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"images": "nowhere"}, "data.images: 'nowhere' is for a label CSV, and {data!r} is a folder with one for each class; "),
        (
            {"names": {"label": "kind"}},
            "data.columns: {{'label': 'kind'}} is for a label CSV, and {data!r} is a folder with one for each class; ",
        ),
    ],
)
def test_what_is_for_a_label_file_is_refused_for_a_folder(data, more, told):
    with pytest.raises(ConfigError) as caught:
        found(data, reading(**more))
    assert str(caught.value).startswith(told.format(data=str(data)))
    assert "leave it out (--set 'data." in str(caught.value)


def test_a_folder_may_have_the_classs_name_in_the_data(data):
    (data / "cbb").rename(data / "0")
    assert found(data, reading(class_names={"0": "cbb"}))[1]["0/b.jpg"] == "cbb"


@pytest.fixture
def labels(data):
    """Writes a label CSV beside the folder of the images."""

    def write(text):
        (data / "train.csv").write_text(text, encoding="utf-8")
        return data / "train.csv"

    return write


def test_a_label_file_names_images_beside_it_or_in_a_folder(data, labels):
    path = labels("image_id,label\nb.jpg,0\nold/deep/x.Png,healthy\n")
    assert found(path, reading(images="cbb", class_names={"0": "cbb"})) == (data / "cbb", {"b.jpg": "cbb", "old/deep/x.Png": "healthy"})
    assert found(labels("label,image_id\ncbb,cbb/b.jpg\n"), READING) == (data, {"cbb/b.jpg": "cbb"})


def test_a_label_file_may_have_a_long_text_in_a_column_that_is_not_read(labels):
    path = labels(f"image_id,label,notes\ncbb/b.jpg,cbb,{'a' * 200_000}\n")
    assert found(path, reading(ignore_extra=True))[1] == {"cbb/b.jpg": "cbb"}


def test_a_label_files_columns_may_have_other_names_and_others_beside_them(labels):
    path = labels("file,kind,x\ncbb/b.jpg,cbb,1\n")
    names = {"image_id": "file", "label": "kind"}
    assert found(path, reading(names=names, ignore_extra=True))[1] == {"cbb/b.jpg": "cbb"}
    with pytest.raises(UsageError, match=r"train\.csv: the columns do not fit the label columns: unknown 'x'"):
        found(path, reading(names=names))


@pytest.mark.parametrize(
    ("text", "images", "told"),
    [
        (
            "image_id,label\ncbb/b.jpg,cbb\nx.jpg,cbb\n",
            None,
            "line 3: there is no 'x.jpg' below {data}; data.images says where",
        ),
        ("image_id,label\nx.jpg,cbb\ny.jpg,cbb\ncbb/b.jpg,cbb\n", None, "line 2: there is no 'x.jpg' and 1 more of 3 below {data}; "),
        ("image_id,label\ncbb/b.jpg,9\n", None, "line 2: '9' is none of the classes: cbb, healthy (data.classes "),
        ("image_id,label\ncbb/b.jpg,cbb\ncbb/b.jpg,healthy\n", None, "line 3: 'cbb/b.jpg' stands there twice, first in line 2"),
        ("image_id,label\n../x.jpg,cbb\n", None, "line 2: '../x.jpg' is no image below {data}"),
        ("image_id,label\n/etc/x.jpg,cbb\n", None, "line 2: '/etc/x.jpg' is no image below {data}"),
        ("image_id,label\ncbb/b.jpg,cbb\n", "photos", "data.images: there is no folder {data}/photos"),
        ("image_id,label\n", None, "a header and no rows"),
        ("image,label\nx,cbb\n", None, "the columns do not fit the label columns: missing 'image_id'; unknown 'image'"),
    ],
)
def test_a_label_file_that_does_not_fit_is_one_line(data, labels, text, images, told):
    path = labels(text)
    with pytest.raises(UsageError) as caught:
        found(path, reading(images=images))
    assert str(caught.value).startswith(f"{path}: {told.format(data=data)}")
    assert "\n" not in str(caught.value)


def test_a_folder_of_no_class_is_named_with_those_there_are(data):
    (data / "cgm").mkdir()
    with pytest.raises(UsageError) as caught:
        found(data)
    assert str(caught.value).startswith(f"{data / 'cgm'}: 'cgm' is none of the classes: cbb, healthy (data.classes ")


def test_an_image_outside_of_the_classes_is_named(data):
    (data / "x.jpg").touch()
    with pytest.raises(UsageError, match=r"x\.jpg: lies in no class's folder; expected .*/<class>/x\.jpg"):
        found(data)


@pytest.mark.parametrize("folders", [(), ("cbb",), ("cbb", "healthy")])
def test_a_tree_without_images_is_told_with_what_is_looked_for(tmp_path, folders):
    for name in folders:
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.gif").touch()
    with pytest.raises(UsageError) as caught:
        found(tmp_path)
    assert str(caught.value) == (
        f"data {str(tmp_path)!r}: no image (*.jpg, *.jpeg, *.png) in a class's folder (cbb/, healthy/) below {tmp_path}"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("none", "there is no such file or folder"),
        ("README", "neither a folder of images nor a CSV of image and label"),
        ("day-{SPAN}", "no span is there"),
    ],
)
def test_what_is_not_there_is_told(data, text, told):
    with pytest.raises(UsageError, match=told):
        found(data / text)


def test_a_bucket_is_told_what_to_do():
    with pytest.raises(UsageError, match="images are read from folders, not from a bucket"):
        find_images("s3://photos/leaves", READING)


def test_each_span_is_a_source_of_its_own(tmp_path):
    for name in ("span-1/cbb/x.jpg", "span-02/cbb/x.jpg", "span-3/healthy/y.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "span-02" / "cbb" / "x.txt").touch()
    there = find_images(f"{tmp_path}/span-{{SPAN}}", reading(spans=2))
    assert there.root == tmp_path
    assert [(image.path, image.name, image.label) for image in there.images] == [
        ("span-02/cbb/x.jpg", "cbb/x.jpg", "cbb"),
        ("span-3/healthy/y.png", "healthy/y.png", "healthy"),
    ]
    assert there.others == ("span-02/cbb/x.txt",)
    assert list(found(f"{tmp_path}/span-{{SPAN}}/")[1]) == ["span-3/healthy/y.png"]


def test_spans_may_be_label_files_that_share_a_folder(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.jpg").touch()
        (tmp_path / f"labels-{number}.csv").write_text(f"image_id,label\n{number}.jpg,cbb\n", encoding="utf-8")
    assert found(f"{tmp_path}/labels-{{SPAN}}.csv", reading(spans=2)) == (tmp_path, {"1.jpg": "cbb", "2.jpg": "cbb"})


def test_a_name_that_is_no_text_is_told(data):
    (data / "cbb").joinpath(b"\xff.jpg".decode(errors="surrogateescape")).touch()
    with pytest.raises(UsageError, match=r"is not UTF-8; rename the file"):
        found(data)
