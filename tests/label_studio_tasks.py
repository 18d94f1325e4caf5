"""Hypothesis strategies of Label Studio's tasks, with the members and mixtures that files really have."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from predarrow_engine import rle
from predarrow_engine.brush import encode

Json = dict[str, Any]

SIZES = st.sampled_from([(640, 480), (216, 174), (3, 5), (1920, 1080)])
MASK_SIZES = st.sampled_from([(21, 17), (3, 5)])
TEXTS = st.sampled_from(["Car", "Person", "a & b", 'say "so"', "Ärger", "", "😀", "line\nbreak"])
PERCENTS = st.one_of(
    st.integers(-3, 103),
    st.decimals(-5, 105, places=3).map(float),
    st.floats(0, 100),
    st.integers(0, 640).map(lambda pixel: pixel / 640 * 100),
)
EXTENTS = st.one_of(st.integers(0, 100), st.floats(0, 100), st.decimals(0, 100, places=2).map(float))
ANGLES = st.one_of(st.just(0), st.sampled_from([30, -30, 90, 359.5, 12.345]))
SCORES = st.one_of(st.floats(0, 1), st.sampled_from([0, 1, 0.5, None]))


@st.composite
def maybe(draw: st.DrawFn, members: Json) -> Json:
    """Give some of the members."""
    return {name: draw(value) for name, value in members.items() if draw(st.booleans())}


BOXES = st.builds(
    lambda position, rest: position | rest,
    st.fixed_dictionaries({"x": PERCENTS, "y": PERCENTS, "width": EXTENTS, "height": EXTENTS}),
    maybe({"rotation": ANGLES, "score": st.floats(0, 1), "more": st.just({"a": [1.5, None]})}),
)
ELLIPSES = st.builds(
    lambda position, rest: position | rest,
    st.fixed_dictionaries({"x": PERCENTS, "y": PERCENTS, "radiusX": EXTENTS, "radiusY": EXTENTS}),
    maybe({"rotation": ANGLES}),
)
POINTS = st.builds(
    lambda position, rest: position | rest,
    st.fixed_dictionaries({"x": PERCENTS, "y": PERCENTS}),
    maybe({"width": EXTENTS}),
)
VERTICES = st.tuples(PERCENTS, PERCENTS).map(list)
POLYGONS = st.builds(
    lambda points, rest: {"points": points, **rest},
    st.lists(VERTICES, min_size=3, max_size=6),
    maybe({"closed": st.booleans()}),
)
VECTORS = st.builds(
    lambda points, rest: {
        "vertices": [{"id": f"v{place}", "x": x, "y": y, "isBezier": False} for place, (x, y) in enumerate(points)],
        **rest,
    },
    st.lists(VERTICES, min_size=3, max_size=5),
    maybe({"closed": st.booleans()}),
)


@st.composite
def brushes(draw: st.DrawFn, size: tuple[int, int]) -> Json:
    """Give a mask of (width, height) as run lengths."""
    width, height = size
    pixels = np.zeros((height, width), np.bool_)
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    pixels[top : top + draw(st.integers(0, 5)), left : left + draw(st.integers(1, 5))] = True
    counts = rle.encode(pixels).counts
    found = encode(counts, np.array([0, counts.size]), np.array([[height, width]]))
    return {"format": "rle", "rle": found.values.tolist()}


def data_url(alpha: np.ndarray[Any, Any]) -> str:
    """Give an image, black where there is alpha, as an address."""
    pixels = np.zeros((*alpha.shape, 4), np.uint8)
    pixels[..., 3] = alpha
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


SPANS = st.one_of(
    st.builds(
        lambda start, more: {"start": start, "end": start + more, "text": "so"}, st.integers(0, 9), st.integers(0, 9)
    ),
    st.just({"start": 1.5, "end": 2.25, "channel": 0}),
    st.just({"start": "3", "end": "9", "text": "so"}),
)
HTML = st.just(
    {
        "start": "/p[1]/text()[1]",
        "end": "/p[1]/text()[1]",
        "startOffset": 3,
        "endOffset": 9,
        "globalOffsets": {"start": 3, "end": 9},
    }
)
TIMES = st.fixed_dictionaries(
    {"start": st.sampled_from([1, "2020-01-01"]), "end": st.just(3), "instant": st.booleans()}
)
RANGES = st.lists(st.sampled_from([{"start": 1, "end": 9}, {"start": 3, "end": 3}]), min_size=1, max_size=2).map(
    lambda ranges: {"ranges": ranges}
)
ENTRIES = st.builds(
    lambda entry, box, rest: entry | box | rest,
    st.fixed_dictionaries({"time": st.floats(0, 9)}),
    st.fixed_dictionaries({"x": PERCENTS, "y": PERCENTS, "width": EXTENTS, "height": EXTENTS}),
    maybe({"rotation": ANGLES, "enabled": st.booleans(), "score": st.floats(0, 1), "auto": st.just(True)}),
)


@st.composite
def sequences(draw: st.DrawFn) -> Json:
    """Give a video's boxes by frame."""
    frames = sorted(draw(st.sets(st.integers(1, 20), min_size=1, max_size=4)))
    entries = [{"frame": frame, **draw(ENTRIES)} for frame in frames]
    return {"sequence": entries, **draw(maybe({"framesCount": st.just(20), "duration": st.just(0.8)}))}


GEOMETRIES: dict[str, Any] = {
    "rectangle": BOXES,
    "ellipse": ELLIPSES,
    "keypoint": POINTS,
    "polygon": POLYGONS,
    "vector": VECTORS,
}
ANSWERS: dict[str, Any] = {
    "choices": {"choices": st.lists(TEXTS, max_size=2)},
    "textarea": {"text": st.lists(TEXTS, min_size=1, max_size=2)},
    "rating": {"rating": st.integers(0, 5)},
    "number": {"number": st.floats(-9, 9)},
    "datetime": {"datetime": st.just("2024-01-01T00:00")},
    "taxonomy": {"taxonomy": st.just([["a", "b"]])},
    "pairwise": {"selected": st.just("left")},
    "ranker": {"ranker": st.just({"rank": ["1", "2"]})},
    "chatmessage": {"role": st.just("user"), "content": TEXTS},
}


ON_OTHERS = [("labels", SPANS), ("hypertextlabels", HTML), ("timeserieslabels", TIMES), ("timelinelabels", RANGES)]


@st.composite
def geometries(draw: st.DrawFn, size: tuple[int, int] | None, kind: str) -> tuple[str, Json]:
    """Give a type and a value of a span, a mask or another geometry of an image."""
    if kind == "span":
        type_, values = draw(st.sampled_from(ON_OTHERS))
        value: Json = draw(values)
        return type_, value
    if kind == "mask":
        assert size is not None
        return "brushlabels", draw(brushes(size))
    shape = draw(st.sampled_from(sorted(GEOMETRIES)))
    return shape if draw(st.booleans()) else f"{shape}labels", draw(GEOMETRIES[shape])


@st.composite
def regions(draw: st.DrawFn, number: int, size: tuple[int, int] | None, kind: str) -> list[Json]:
    """Give the results of one region of an image, a text, a video or the whole task."""
    shared = draw(
        maybe({"score": SCORES, "readonly": st.booleans(), "hidden": st.just(True), "parentID": st.just("r0")})
    )
    shared |= draw(maybe({"meta": st.just({"text": ["so"]}), "item_index": st.integers(0, 2)}))
    if draw(st.integers(0, 5)):
        shared["id"] = draw(st.sampled_from([f"r{number}", f"ä{number}"]))
    if size is not None:
        shared |= {"original_width": size[0], "original_height": size[1]}
    found: list[Json] = []
    labels = draw(st.lists(TEXTS, max_size=2))
    has_labels = draw(st.integers(0, 5)) > 0

    def result(type_: str, value: Json) -> Json:
        beside = draw(maybe({"image_rotation": st.just(0), "origin": st.just("manual"), "unknown": st.just([1])}))
        own = {name: each for name, each in shared.items() if draw(st.integers(0, 9))}
        if size is not None and not found:
            own |= {"original_width": size[0], "original_height": size[1]}
        names = {"from_name": f"the {type_}", "to_name": "media", "type": type_}
        return names | own | beside | {"value": value}

    if kind == "answer":
        type_ = draw(st.sampled_from(sorted(ANSWERS)))
        return [result(type_, draw(st.fixed_dictionaries(ANSWERS[type_])))]
    if kind == "video":
        return [result("videorectangle", draw(sequences()) | ({"labels": labels} if has_labels else {}))]
    type_, value = draw(geometries(size, kind))
    if type_.endswith("labels"):
        found.append(result(type_, value | ({type_: labels} if has_labels else {})))
    else:
        found.append(result(type_, value))
        if "id" in found[0] and has_labels:
            found.append(result("labels", {**value, "labels": labels}))
    if "id" in found[0] and draw(st.integers(0, 3)) == 0:
        repeated = {} if draw(st.integers(0, 4)) == 0 else value
        found.append(result("textarea", {**repeated, "text": ["one", "two"]}))
    for each in found[1:]:
        each["id"] = found[0]["id"]
    return found


@st.composite
def predictions(draw: st.DrawFn, is_video: bool) -> Json:
    """Give a prediction."""
    size = draw(SIZES)
    results: list[Json] = []
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["video", "answer"] if is_video else ["flat", "flat", "mask", "span", "answer"]))
        size = draw(MASK_SIZES) if kind == "mask" else size
        new = draw(regions(number, size if kind in ("flat", "mask", "video") else None, kind))
        place = draw(st.integers(0, len(results))) if draw(st.integers(0, 3)) == 0 else len(results)
        results[place:place] = new[:1]
        results += new[1:]
    if draw(st.integers(0, 3)) == 0:
        relation = {"type": "relation", "from_id": "r0", "to_id": "r1", "direction": "right"}
        results.insert(draw(st.integers(0, len(results))), relation)
    beside = draw(
        maybe({"score": SCORES, "model_version": st.sampled_from(["one", "two", None]), "id": st.integers(1, 9)})
    )
    return {**beside, "result": results}


@st.composite
def tasks(draw: st.DrawFn, place: int) -> Json:
    """Give a task with predictions and annotations."""
    is_video = draw(st.integers(0, 3)) == 0
    task = draw(maybe({"id": st.integers(1, 99), "meta": st.just({}), "drafts": st.just([])}))
    task["data"] = {"media": f"https://x/{place}.jpg", "other": [1, None]}
    for name in ("predictions", "annotations", "completions"):
        if draw(st.booleans()):
            task[name] = draw(st.lists(predictions(is_video), max_size=3))
    return task


FILES = st.integers(1, 3).flatmap(lambda n: st.tuples(*(tasks(place) for place in range(n)))).map(list)
