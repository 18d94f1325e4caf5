"""PNG streams traced in one call against each image unpacked by zlib and traced alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import png, png_stream
from predarrow_engine.outlines import Outlines
from predarrow_engine.png_trace import Canvas, Streams
from predarrow_engine.trace import Tracer
from tests.images import voronoi
from tests.mask_files import noise

HEIGHT, WIDTH = 120, 300
NO_LIMIT = 1 << 30

Mask = npt.NDArray[np.uint8]


def _masks() -> list[Mask]:
    empty = np.zeros((HEIGHT, WIDTH), np.uint8)
    return [
        voronoi(HEIGHT, WIDTH, 20, 5, 1).astype(np.uint8),
        noise(HEIGHT, WIDTH, 19, 2),  # more runs than the workspace begins with
        empty,
        voronoi(HEIGHT, WIDTH, 200, 9, 3).astype(np.uint8),
    ]


def _stream(mask: Mask) -> bytes:
    rows = np.zeros((HEIGHT, 1 + WIDTH), np.uint8)
    rows[:, 1:] = mask
    return zlib.compress(rows.tobytes(), 1)


def _streams(parts: Sequence[bytes]) -> Streams:
    data = b""
    places = []
    for part in parts:
        places.append((len(data), len(data) + len(part)))
        data += part + b"\xff" * png_stream.SPARE_IN
    array = np.frombuffer(data, np.uint8)
    return Streams(array, np.array(places, np.int64))


def _canvas() -> Canvas:
    pixels = np.full(WIDTH + HEIGHT * WIDTH + png.MARGIN, 7, np.uint8)
    samples = pixels[WIDTH : WIDTH + HEIGHT * WIDTH].reshape(HEIGHT, WIDTH)
    samples.flags.writeable = False
    return Canvas(np.empty(png_stream.window_bytes(WIDTH, HEIGHT), np.uint8), pixels, samples, WIDTH)


def _alone(masks: Sequence[Mask], **options: Any) -> Outlines:
    tracer = Tracer(**options)
    for mask in masks:
        tracer.add(mask)
    return tracer.take()


def _assert_equal(got: Outlines, wanted: Outlines) -> None:
    for name, one, other in zip(Outlines._fields, got, wanted, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"outline": "center"},
        {"connectivity": 4, "min_area": 3},
        {"holes": "fill", "encord_active": True},
        {"background": None, "void": (3,)},
    ],
)
def test_streams_give_what_their_images_give(options: dict[str, Any]) -> None:
    tracer = Tracer(**options)
    assert tracer.takes_streams
    masks = _masks()
    assert tracer.add_streams(_streams([_stream(mask) for mask in masks]), _canvas(), 0, NO_LIMIT) == len(masks)
    _assert_equal(tracer.take(), _alone(masks, **options))


def test_options_that_look_at_whole_components_take_no_streams() -> None:
    assert not Tracer(encord_active=True).takes_streams
    assert not Tracer(outline="center", connectivity=4).takes_streams
    assert not Tracer(holes="fill", connectivity=4).takes_streams


@pytest.mark.parametrize("damaged", [0, 2, 3])
def test_a_damaged_stream_stops_the_call_and_leaves_the_others(damaged: int) -> None:
    masks = _masks()
    parts = [_stream(mask) for mask in masks]
    parts[damaged] = parts[damaged][:-1] + bytes([parts[damaged][-1] ^ 1])  # its checksum
    streams, tracer = _streams(parts), Tracer()
    assert tracer.add_streams(streams, _canvas(), 0, NO_LIMIT) == damaged
    assert tracer.add_streams(streams, _canvas(), damaged + 1, NO_LIMIT) == len(masks)
    _assert_equal(tracer.take(), _alone([mask for place, mask in enumerate(masks) if place != damaged]))


def test_no_stream_is_begun_beyond_the_limit() -> None:
    masks = _masks()
    streams, tracer = _streams([_stream(mask) for mask in masks]), Tracer()
    taken = []
    done = 0
    while done < len(masks):
        done = tracer.add_streams(streams, _canvas(), done, 0)
        taken.append(tracer.take().image_offsets.size - 1)
    assert taken == [1, 1, 2]  # the empty one adds no vertices


def test_an_image_with_more_runs_than_can_be_numbered_is_left_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predarrow_engine.workspace.RUN_LIMIT", 5000)
    masks = _masks()
    tracer = Tracer()
    assert tracer.add_streams(_streams([_stream(mask) for mask in masks]), _canvas(), 0, NO_LIMIT) == 1
    with pytest.raises(ValueError, match="at most 5000 runs"):
        tracer.add(masks[1])
    assert tracer.take().image_offsets.size == 2
