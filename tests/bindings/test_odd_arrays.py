"""Arrays, texts and options that nobody should give to `from_*`: each is refused in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from predarrow import (
    InputError,
    OntologyError,
    PredarrowError,
    from_detections,
    from_label_mask,
    from_masks,
    from_supervision,
    from_torchvision,
    from_ultralytics,
)

BOXES = np.array([[10, 20, 30, 60], [0, 0, 5, 5]], np.float32)
MASKS = np.zeros((2, 6, 8), np.bool_)
MASKS[:, 1:3, 2:5] = True
NAME = "\udce9.png"  # os.fsdecode of a file name in Latin-1


def one_line(error: PredarrowError) -> str:
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"image_ids": NAME}, "image_ids"),
        ({"image_ids": ["a", NAME]}, "image_ids[1]"),
        ({"image_ids": np.array(["a", NAME])}, "image_ids[1]"),
        ({"image_ids": ["a", NAME], "boxes": [BOXES, BOXES]}, "image_ids[1]"),
        ({"labels": NAME}, "labels"),
        ({"labels": [NAME, "b"]}, "labels[0]"),
        ({"object_ids": [None, NAME]}, "object_ids[1]"),
    ],
)
def test_text_that_utf8_cannot_hold(options: dict[str, Any], place: str) -> None:
    arguments: dict[str, Any] = {"boxes": BOXES, "scores": None, "labels": 1, "image_ids": "x", **options}
    with pytest.raises(InputError) as caught:
        from_detections(**arguments)
    assert one_line(caught.value).startswith(f"{place}: must be text that UTF-8 can hold")
    assert one_line(caught.value).endswith(f"got {NAME!r}")


@pytest.mark.parametrize("take", [lambda name: from_masks(MASKS, data_unit=name), lambda name: label(data_unit=name)])
def test_image_names_that_utf8_cannot_hold(take: Any) -> None:
    with pytest.raises(InputError, match=r"^data_unit: must be text that UTF-8 can hold"):
        take(NAME)


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ("car", "must be a list of names, or a mapping of numbers to names, got 'car'"),
        ({"car", "van"}, "must be a list of names"),
        (5, "must be a list of names, .* got 5"),
        ((name for name in ("car", "van")), "must be a list of names"),
        ({2**63: "car"}, "a pixel value must fit 64 bits, got 9223372036854775808"),
        (["car", NAME], "the name of 1 must be text that UTF-8 can hold"),
    ],
)
def test_classes(classes: Any, text: str) -> None:
    with pytest.raises(OntologyError, match=f"^classes: {text}"):
        from_detections(BOXES, None, [0, 1], "x", classes=classes)


@pytest.mark.parametrize("number", [2**64, [2**64, 1]])
def test_image_ids_of_more_than_64_bits(number: Any) -> None:
    with pytest.raises(InputError, match=r"^image_ids: must be texts, or whole numbers of 64 bits"):
        from_detections(BOXES, None, None, number)


class Categories:
    """Texts of pandas: an array of no NumPy type, of which NumPy makes objects."""

    dtype = "category"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(["car", "van"], object)


def test_categories() -> None:
    encoded = pa.array(["car", "van"]).dictionary_encode()
    views = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.uint32()), encoded.dictionary.cast(pa.string_view()))
    for texts in (encoded, views, pa.chunked_array([encoded]), Categories()):
        assert from_detections(BOXES, None, texts, texts)["class_name"].to_pylist() == ["car", "van"]
    classes = pa.array([1, 0]).dictionary_encode()
    table = from_detections(BOXES, None, classes, "x", classes=["car", "van"])
    assert table["class_name"].to_pylist() == ["van", "car"]


def test_arrow_arrays_of_numbers_warn_of_nothing() -> None:
    assert from_detections(BOXES, pa.array([0.5, 1.0]), pa.array([1, 2]), "x")["confidence"].to_pylist() == [0.5, 1.0]
    with pytest.raises(InputError, match=r"^scores\[1\]: must be a finite number, got nan$"):
        from_detections(BOXES, pa.array([0.5, None]), None, "x")


def label(**options: Any) -> pa.Table:
    return from_label_mask(MASKS[0], **options)


masked: Any = np.ma.masked_array  # untyped in NumPy 2.2
MASKED = masked(np.ones((2, 4)), mask=[[False] * 4, [True] * 4])


@pytest.mark.parametrize(
    ("take", "text"),
    [
        (lambda: from_detections(MASKED, None, None, "x"), "boxes: must have no masked numbers, got some; fill them"),
        (lambda: from_detections(BOXES, MASKED[:, 0], None, "x"), "scores: must have no masked numbers"),
        (lambda: from_masks(MASKED[None], threshold=0.5), "masks: must have no masked numbers"),
        (lambda: from_label_mask(MASKED.astype(int)), "mask: must have no masked numbers"),
        (
            lambda: from_detections(BOXES, [0.5, None], None, "x"),
            r"scores: must be an array of numbers, got \[0.5, None",
        ),
        (lambda: from_detections(BOXES, None, None, "x", image_sizes=(1j, 5)), "image_sizes: must be whole numbers"),
        (lambda: from_detections(BOXES, None, None, "x", image_sizes=(True, True)), "image_sizes: must be whole"),
        (lambda: label(data_unit=None), "data_unit: must be texts, or whole numbers"),
        (lambda: label(data_unit=["a"]), r"data_unit: must be one for the mask, got \['a'\]"),
        (lambda: label(frame=None), "frame: must be an array of numbers, got None"),
        (lambda: label(frame=-1), "frame: must be from 0 to 2147483647, got -1"),
        (lambda: label(frame=[0]), r"frame: must be one for the mask, got \[0\]"),
        (lambda: label(min_area="3"), "min_area: must be a whole number from 0 to 9223372036854775807, got '3'"),
        (lambda: label(void=255), "void: must be a list of whole numbers, got 255"),
        (lambda: label(void="255"), "void: must be a list of whole numbers, got '255'"),
        (lambda: label(void=[0.5]), "void: must be a whole number from -2147483648 to 4294967295, got 0.5"),
        (lambda: label(background="0"), "background: must be a whole number from -2147483648 to 4294967295, got '0'"),
        (lambda: from_masks(MASKS, min_area=-1), "min_area: must be a whole number of at least 0, got -1"),
        (lambda: from_masks(MASKS, min_area=None), "min_area: must be a whole number .* got None"),  # type: ignore[arg-type]
        (lambda: from_masks(MASKS * 0.5, threshold="0"), "threshold: must be a finite number, got '0'"),  # type: ignore[arg-type]
        (lambda: from_torchvision(5, "x"), "outputs: must be one mapping per image, got 5"),  # type: ignore[arg-type]
        (lambda: from_torchvision([BOXES], "x"), r"outputs\[0\]: must be a mapping with boxes and labels, got"),  # type: ignore[list-item]
        (lambda: from_supervision(None, "x"), "detections: must have xyxy, mask, .* got None"),
        (lambda: from_ultralytics(None), "results: must be Results of Ultralytics, got None"),
        (lambda: from_ultralytics(["runs"]), r"results\[0\]: must be Results of Ultralytics, got 'runs'"),
    ],
)
def test_refused(take: Any, text: str) -> None:
    with pytest.raises(PredarrowError, match=f"^{text}") as caught:
        take()
    one_line(caught.value)


def test_a_tensor_without_data() -> None:
    class Meta:
        """torch's tensors on the device "meta"."""

        def cpu(self) -> Any:
            raise NotImplementedError("Cannot copy out of meta tensor; no data!")

    with pytest.raises(InputError, match=r"^masks: must be an array of numbers, got .*no data!\)$"):
        from_masks(Meta())


def test_a_threshold_beyond_all_values() -> None:
    assert from_masks(np.ones((1, 2, 2), np.float32), threshold=1e300).num_rows == 0
    assert from_masks(np.ones((1, 2, 2), np.float32), threshold=-1e300).num_rows == 1


def test_the_image_of_a_bad_mask_is_named() -> None:
    good = {"boxes": BOXES, "labels": [1, 2], "masks": MASKS * 0.75}
    bad = {**good, "masks": np.full((2, 6, 8), np.nan)}
    with pytest.raises(InputError, match=r"^outputs\[1\]\.masks\[0\]: must not be NaN"):
        from_torchvision([good, bad], ["a", "b"])


def test_numbers_of_label_masks() -> None:
    assert label(data_unit=np.int64(7), frame=np.int32(3)).select(["data_unit", "frame"]).to_pylist() == [
        {"data_unit": "7", "frame": 3}
    ]
    assert from_label_mask(MASKS[0].astype(int).tolist())["bbox"].to_pylist() == label()["bbox"].to_pylist()
