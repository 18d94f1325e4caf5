"""Tasks as people write them, one kind of result each, and the labelling configs that they are for.

The media are Label Studio's own samples, so that nothing must be uploaded: an image of 600 x 403 pixels, a sound, a
video, and columns of numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_IMAGE = {"image": "/static/samples/sample.jpg"}
_SIZE = {"original_width": 600, "original_height": 403, "image_rotation": 0}
_TEXT = (
    "\N{GRINNING FACE}\N{GRINNING FACE} Ann of Örebro wrote to ACME & Sons."  # with two characters of two UTF-16 units
)
_LABELS = '<Label value="Ann &amp; Co"/><Label value="Ort"/>'
_BOX = {"x": 12.5, "y": 20.347394540942929, "width": 30, "height": 100 / 7, "rotation": 0}


@dataclass(frozen=True)
class Told:
    """Tasks and their labelling config.

    Attributes:
        config: XML.
        data: of the task.
        result: of its one prediction.
    """

    config: str
    data: Mapping[str, Any]
    result: list[dict[str, Any]]

    def tasks(self, name: str) -> list[dict[str, Any]]:
        """Give the tasks: one, with one prediction."""
        prediction = {"model_version": name, "score": 0.75, "result": self.result}
        return [{"data": dict(self.data), "predictions": [prediction]}]


def _told(objects: str, controls: str, data: Mapping[str, Any], *result: dict[str, Any]) -> Told:
    return Told(f"<View>{objects}{controls}</View>", data, list(result))


def _of_image(from_name: str, type_: str, value: dict[str, Any], id_: str = "r1", **more: Any) -> dict[str, Any]:
    return {"id": id_, "from_name": from_name, "to_name": "image", "type": type_, "value": value, **_SIZE, **more}


def _of_task(from_name: str, type_: str, value: dict[str, Any], to_name: str = "image") -> dict[str, Any]:
    return {"id": f"id-{from_name}", "from_name": from_name, "to_name": to_name, "type": type_, "value": value}


def _entry(frame: int, x: float, enabled: bool = True) -> dict[str, Any]:
    place = {"x": x, "y": 30, "width": 20, "height": 25, "rotation": 0}
    return {"frame": frame, "enabled": enabled, "time": frame / 25, **place}


_VIEW = '<Image name="image" value="$image"/>'
_VERTICES = [
    {"id": "v1", "x": 10, "y": 20.5, "prevPointId": None, "isBezier": False},
    {"id": "v2", "x": 100 / 3, "y": 80, "prevPointId": "v1", "isBezier": False},
    {"id": "v3", "x": 70, "y": 35, "prevPointId": "v2", "isBezier": False},
]
_VIDEO = '<Video name="video" value="$video"/>'
VIDEO = "/static/samples/opossum_snow.mp4"
VIDEO_SIZES = {VIDEO: (720, 1280)}
"""Height and width: results on videos do not tell them."""

_VIDEO_DATA = {"video": VIDEO}

TOLD: Mapping[str, Told] = {
    "choices": _told(
        _VIEW,
        '<Choices name="sky" toName="image" choice="multiple"><Choice value="clear"/><Choice value="dark &lt;3"/>'
        "</Choices>",
        _IMAGE,
        _of_task("sky", "choices", {"choices": ["clear", "dark <3"]}),
    ),
    "taxonomy": _told(
        _VIEW,
        '<Taxonomy name="place" toName="image"><Choice value="land"><Choice value="road"/></Choice>'
        '<Choice value="sea"/></Taxonomy>',
        _IMAGE,
        _of_task("place", "taxonomy", {"taxonomy": [["land", "road"], ["sea"]]}),
    ),
    "rating": _told(
        _VIEW,
        '<Rating name="stars" toName="image" maxRating="7"/>',
        _IMAGE,
        _of_task("stars", "rating", {"rating": 6}),
    ),
    "number": _told(
        _VIEW, '<Number name="count" toName="image"/>', _IMAGE, _of_task("count", "number", {"number": 2.25})
    ),
    "textarea": _told(
        _VIEW,
        '<TextArea name="caption" toName="image"/>',
        _IMAGE,
        _of_task("caption", "textarea", {"text": ['two lines,\none "quote"', "ünïcode"]}),
    ),
    "readonly": _told(
        _VIEW,
        f'<RectangleLabels name="box" toName="image">{_LABELS}</RectangleLabels>',
        _IMAGE,
        _of_image("box", "rectanglelabels", {**_BOX, "rectanglelabels": ["Ort"]}, score=0.875, readonly=True),
        _of_image(
            "box", "rectanglelabels", {**_BOX, "x": 50, "rectanglelabels": ["Ann & Co"]}, "r2", meta={"text": ["why"]}
        ),
    ),
    "ocr": _told(
        _VIEW,
        f'<Labels name="label" toName="image">{_LABELS}</Labels><Rectangle name="bbox" toName="image"/>'
        '<Polygon name="poly" toName="image"/><TextArea name="transcription" toName="image" perRegion="true"/>',
        _IMAGE,
        _of_image("bbox", "rectangle", _BOX, score=0.5),
        _of_image("label", "labels", {**_BOX, "labels": ["Ort"]}, score=0.5),
        _of_image("transcription", "textarea", {**_BOX, "text": ["Gate 7 → B"]}, score=0.5),
    ),
    "relations": _told(
        _VIEW,
        f'<RectangleLabels name="box" toName="image">{_LABELS}</RectangleLabels>'
        '<Relations><Relation value="stands on"/></Relations>',
        _IMAGE,
        _of_image("box", "rectanglelabels", {**_BOX, "rectanglelabels": ["Ort"]}),
        _of_image("box", "rectanglelabels", {**_BOX, "x": 50, "rectanglelabels": ["Ann & Co"]}, "r2"),
        {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right", "labels": ["stands on"]},
    ),
    "ner": _told(
        '<Text name="text" value="$text"/>',
        '<Labels name="label" toName="text"><Label value="PER"/><Label value="ORG"/></Labels>',
        {"text": _TEXT},
        *(
            {"id": f"s{start}", "from_name": "label", "to_name": "text", "type": "labels", "score": 0.25,
             "value": {"start": start, "end": end, "text": _TEXT[start:end], "labels": [label]}}
            for start, end, label in ((3, 6, "PER"), (26, 37, "ORG"))
        ),
    ),
    "audio": _told(
        '<Audio name="audio" value="$audio"/>',
        f'<Labels name="label" toName="audio">{_LABELS}</Labels>',
        {"audio": "/static/samples/game.wav"},
        {"id": "a1", "from_name": "label", "to_name": "audio", "type": "labels", "score": 0.5,
         "value": {"start": 0.4, "end": 1.3125, "channel": 0, "labels": ["Ort"]}},
    ),
    "video": _told(
        _VIDEO,
        f'<VideoRectangle name="box" toName="video"/><Labels name="what" toName="video">{_LABELS}</Labels>',
        _VIDEO_DATA,
        {"id": "v1", "from_name": "box", "to_name": "video", "type": "videorectangle", "score": 0.5,
         "value": {"framesCount": 100, "duration": 4, "labels": ["Ort"],
                   "sequence": [_entry(1, 10.5), _entry(10, 100 / 3), _entry(25, 40, enabled=False)]}},
    ),
    "timeline": _told(
        _VIDEO,
        f'<TimelineLabels name="part" toName="video">{_LABELS}</TimelineLabels>',
        _VIDEO_DATA,
        {"id": "t1", "from_name": "part", "to_name": "video", "type": "timelinelabels",
         "value": {"ranges": [{"start": 3, "end": 40}], "timelinelabels": ["Ann & Co"]}},
    ),
    "vector": _told(
        _VIEW,
        f'<VectorLabels name="line" toName="image">{_LABELS}</VectorLabels>',
        _IMAGE,
        _of_image("line", "vectorlabels", {"vertices": _VERTICES, "closed": False, "vectorlabels": ["Ort"]}),
    ),
    "datetime": _told(
        _VIEW,
        '<DateTime name="when" toName="image" only="date"/>',
        _IMAGE,
        _of_task("when", "datetime", {"datetime": "2024-02-29"}),
    ),
    "paragraphs": _told(
        '<Paragraphs name="talk" value="$talk" layout="dialogue"/>',
        f'<ParagraphLabels name="label" toName="talk">{_LABELS}</ParagraphLabels>',
        {"talk": [{"author": "Ann", "text": "Hello Örebro, how are you"}, {"author": "Bo", "text": "Well"}]},
        {"id": "p1", "from_name": "label", "to_name": "talk", "type": "paragraphlabels", "score": 0.5,
         "value": {"start": "0", "end": "0", "startOffset": 6, "endOffset": 12, "text": "Örebro",
                   "paragraphlabels": ["Ort"]}},
    ),
    "timeseries": _told(
        '<TimeSeries name="series" value="$csv" valueType="url" timeColumn="time"><Channel column="one"/>'
        "</TimeSeries>",
        f'<TimeSeriesLabels name="label" toName="series">{_LABELS}</TimeSeriesLabels>',
        {"csv": "/static/samples/sample-task-sin.csv"},
        {"id": "c1", "from_name": "label", "to_name": "series", "type": "timeserieslabels", "score": 0.5,
         "value": {"start": 1592250491999.973, "end": 1592250502000.8528, "instant": False,
                   "timeserieslabels": ["Ort"]}},
    ),
    "hypertext": _told(
        '<HyperText name="html" value="$html"/>',
        f'<HyperTextLabels name="label" toName="html">{_LABELS}</HyperTextLabels>',
        {"html": "<h1>Letters</h1>\n<p>Ann of <b>Örebro</b> wrote</p>"},
        {"id": "h1", "from_name": "label", "to_name": "html", "type": "hypertextlabels", "score": 0.5,
         "value": {"start": "/p[1]/b[1]/text()[1]", "end": "/p[1]/b[1]/text()[1]", "startOffset": 0, "endOffset": 6,
                   "globalOffsets": {"start": 15, "end": 21}, "text": "Örebro", "hypertextlabels": ["Ort"]}},
    ),
}  # fmt: skip
"""By what they are about."""
