"""Which class and which frame the ids of a COCO data set stand for in a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from predarrow.coco_label_files import read_labels, records_by_id, refused
from predarrow.errors import OntologyError, PredarrowError
from predarrow.project import Project, opened
from predarrow.refusals import shown
from predarrow.report import Code
from predarrow.sources import StrPath


class FrameIndex(NamedTuple):
    """A frame of a data unit."""

    data_unit: str
    """id of the project's data unit (Encord: data hash), or its title where one data unit has that"""
    frame: int = 0


TitleFunction = Callable[[Mapping[str, Any]], "str | FrameIndex | None"]
"""Record of an image -> title (or id) of its data unit, its frame as well, or None for an image to leave out."""


def category_mapping_by_name(project: Project | StrPath, labels: Mapping[str, Any] | StrPath) -> dict[Any, str]:
    """Give featureNodeHashes by category id, for those categories whose name is that of a class of the ontology.

    Of several classes of one name that is taken whose shape is the category's supercategory, as Encord writes it. A
    category without a class is left out: annotations of it are refused by the import.

    Args:
        project: a project or its folder.
        labels: a COCO data set with categories, or its file.

    Raises:
        InputError: categories that are no list of objects with id and name, or an id that stands for two.
        PredarrowError: neither a data set nor a path.
        OntologyError: a name that several classes have, and no supercategory that tells them apart.
    """
    objects = opened(project).ontology.objects
    mapping: dict[Any, str] = {}
    data, where = read_labels(labels)
    for place, category in records_by_id(data, "categories", where).values():
        found = [thing for thing in objects if thing.name == category.get("name")]
        chosen = [thing for thing in found if thing.shape == category.get("supercategory")] if len(found) > 1 else found
        if len(chosen) == 1:
            mapping[category["id"]] = chosen[0].feature_hash
        elif found:
            have = ", ".join(f"{thing.feature_hash} ({thing.shape})" for thing in found)
            rule = "must be the name of one class, or have its shape as supercategory"
            raise OntologyError(f"{where}: $.categories[{place}].name: {rule}, got {category['name']!r} of {have}")
    return mapping


def image_mapping_by_title(
    project: Project | StrPath, labels: Mapping[str, Any] | StrPath, title: TitleFunction | None = None
) -> dict[Any, FrameIndex]:
    """Give data units and frames by image id, for those images whose title is that of a data unit.

    An image with a `video_title` is the frame of that video whose number is its file's name (`…/17.jpg`), one with an
    `image_title` is that image: so Encord writes them. Of others the `file_name` is looked for, then its last part.
    Titles match with or without their extension. An image without a data unit is left out: annotations on it are
    refused by the import.

    Args:
        project: a project or its folder.
        labels: a COCO data set with images, or its file.
        title: gives an image's title, or `FrameIndex`, in place of these rules.

    Raises:
        InputError: images that are no list of objects with an id each, a title that several data units have, a
            video's frame whose file's name is no number.
        PredarrowError: `title` is no function or gave something else; neither a data set nor a path.
    """
    if title is not None and not callable(title):
        raise PredarrowError(f"title: must be a function of an image's record or None, got {shown(title)}")
    units = opened(project).data_units
    data, where = read_labels(labels)
    mapping: dict[Any, FrameIndex] = {}
    for place, image in records_by_id(data, "images", where).values():
        for candidate in _candidates(image, place, where) if title is None else [_answer(title(image))]:
            if candidate is None:
                continue
            row = units.by_id(candidate.data_unit)
            rows = units.find(candidate.data_unit) if row is None else [row]
            if len(rows) > 1:
                ids = ", ".join(units.row(found).id for found in rows[:3])
                rule = "must be the title of one data unit"
                got = f"{candidate.data_unit!r}, which {len(rows)} have ({ids}); tell them apart with title="
                raise refused(f"$.images[{place}]", Code.AMBIGUOUS_DATA_UNIT, f"{rule}, got {got}", where)
            if rows:
                mapping[image["id"]] = FrameIndex(units.row(rows[0]).id, candidate.frame)
                break
    return mapping


def named_frame(value: Any) -> tuple[Any, Any] | None:
    """Give what stands for a data unit and a frame, unchecked; None for a value that is of no such form.

    Forms: `FrameIndex`, that of Encord's SDK (data_hash and frame), a pair, {"data_unit": …, "frame": …}.
    """
    if isinstance(value, Mapping) and value.keys() == {"data_unit", "frame"}:
        return value["data_unit"], value["frame"]
    if isinstance(value, list | tuple) and len(value) == 2:
        return value[0], value[1]
    for name in ("data_unit", "data_hash"):
        if hasattr(value, name) and hasattr(value, "frame"):
            return getattr(value, name), value.frame
    return None


def key_of(value: Any) -> str:
    """Give an id as a text, the same for 1, 1.0 and "1"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def matched(mapping: Mapping[Any, Any], where: str) -> dict[str, Any]:
    """Give a mapping by its keys as texts, so that 1, 1.0 and "1" are one.

    Raises:
        PredarrowError: no mapping, or keys that are one and have different values.
    """
    if not isinstance(mapping, Mapping):
        raise PredarrowError(f"{where}: must be a mapping by id, got {type(mapping).__name__}")
    result: dict[str, Any] = {}
    for key, value in mapping.items():
        text = key_of(key)
        if result.setdefault(text, value) != value:
            raise PredarrowError(f"{where}: {text}: must stand once, got {shown(result[text])} and {shown(value)}")
    return result


def _candidates(image: Mapping[str, Any], place: int, where: str) -> list[FrameIndex]:
    file_name = image.get("file_name")
    path = PurePosixPath(file_name) if isinstance(file_name, str) else None
    if isinstance(image.get("video_title"), str):
        if path is None or not path.stem.isdecimal():
            rule = "must end in the frame's number, as in videos/v/17.jpg"
            message = f"{rule}, got {shown(file_name)}"
            raise refused(f"$.images[{place}].file_name", Code.BAD_VALUE, message, where)
        return [FrameIndex(image["video_title"], int(path.stem))]
    if isinstance(image.get("image_title"), str):
        return [FrameIndex(image["image_title"])]
    return [] if path is None else [FrameIndex(str(file_name)), FrameIndex(path.name)]


def _answer(answer: Any) -> FrameIndex | None:
    if answer is None or isinstance(answer, FrameIndex):
        return answer
    if not isinstance(answer, str):
        raise PredarrowError(f"title: must give a text, a FrameIndex or None, got {shown(answer)}")
    return FrameIndex(answer)
