"""Which class and which frame the ids of a COCO data set stand for in a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from predarrow.errors import InputError, OntologyError, PredarrowError
from predarrow.project import Project, opened
from predarrow.refusals import shown
from predarrow.report import Code, Problem
from predarrow.sources import StrPath


class FrameIndex(NamedTuple):
    """A frame of a data unit."""

    data_unit: str
    """id of the project's data unit (Encord: data hash), or its title where one data unit has that"""
    frame: int = 0


TitleFunction = Callable[[Mapping[str, Any]], "str | FrameIndex | None"]
"""Record of an image -> title (or id) of its data unit, its frame as well, or None for an image to leave out."""


def category_mapping_by_name(project: Project | StrPath, labels: Mapping[str, Any]) -> dict[Any, str]:
    """Give featureNodeHashes by category id, for those categories whose name is that of a class of the ontology.

    Of several classes of one name that is taken whose shape is the category's supercategory, as Encord writes it. A
    category without a class is left out: annotations of it are refused by the import.

    Args:
        project: a project or its folder.
        labels: a COCO data set with categories.

    Raises:
        InputError: categories that are no list of objects with id and name.
        OntologyError: a name that several classes have, and no supercategory that tells them apart.
    """
    objects = opened(project).ontology.objects
    mapping: dict[Any, str] = {}
    for place, category in enumerate(listed_records(labels, "categories", "labels")):
        found = [thing for thing in objects if thing.name == category.get("name")]
        chosen = [thing for thing in found if thing.shape == category.get("supercategory")] if len(found) > 1 else found
        if len(chosen) == 1:
            mapping[_given_id(category, "categories", place)] = chosen[0].feature_hash
        elif found:
            have = ", ".join(f"{thing.feature_hash} ({thing.shape})" for thing in found)
            rule = "must be the name of one class, or have its shape as supercategory"
            raise OntologyError(f"labels: $.categories[{place}].name: {rule}, got {category['name']!r} of {have}")
    return mapping


def image_mapping_by_title(
    project: Project | StrPath, labels: Mapping[str, Any], title: TitleFunction | None = None
) -> dict[Any, FrameIndex]:
    """Give data units and frames by image id, for those images whose title is that of a data unit.

    An image with a `video_title` is the frame of that video whose number is its file's name (`…/17.jpg`), one with an
    `image_title` is that image: so Encord writes them. Of others the `file_name` is looked for, then its last part.
    Titles match with or without their extension. An image without a data unit is left out: annotations on it are
    refused by the import.

    Args:
        project: a project or its folder.
        labels: a COCO data set with images.
        title: gives an image's title, or `FrameIndex`, in place of these rules.

    Raises:
        InputError: images that are no list of objects with an id, a title that several data units have, a video's
            frame whose file's name is no number.
        PredarrowError: `title` gave something else.
    """
    units = opened(project).data_units
    mapping: dict[Any, FrameIndex] = {}
    for place, image in enumerate(listed_records(labels, "images", "labels")):
        for candidate in _candidates(image, place) if title is None else [_answer(title(image))]:
            if candidate is None:
                continue
            row = units.by_id(candidate.data_unit)
            rows = units.find(candidate.data_unit) if row is None else [row]
            if len(rows) > 1:
                ids = ", ".join(units.row(found).id for found in rows[:3])
                rule = "must be the title of one data unit"
                got = f"{candidate.data_unit!r}, which {len(rows)} have ({ids}); tell them apart with title="
                raise _refused(f"$.images[{place}]", Code.AMBIGUOUS_DATA_UNIT, f"{rule}, got {got}")
            if rows:
                mapping[_given_id(image, "images", place)] = FrameIndex(units.row(rows[0]).id, candidate.frame)
                break
    return mapping


def listed_records(data: Mapping[str, Any], member: str, where: str) -> list[Mapping[str, Any]]:
    """Give a list of objects in a data set.

    Raises:
        InputError: there is none, or something else in it.
    """
    records = data.get(member)
    if not isinstance(records, list):
        raise _refused(f"$.{member}", Code.BAD_VALUE, f"must be a list of objects, got {shown(records)}", where)
    for place, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise _refused(f"$.{member}[{place}]", Code.BAD_VALUE, f"must be an object, got {shown(record)}", where)
    return records


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


def _candidates(image: Mapping[str, Any], place: int) -> list[FrameIndex]:
    file_name = image.get("file_name")
    path = PurePosixPath(file_name) if isinstance(file_name, str) else None
    if isinstance(image.get("video_title"), str):
        if path is None or not path.stem.isdecimal():
            rule = "must end in the frame's number, as in videos/v/17.jpg"
            raise _refused(f"$.images[{place}].file_name", Code.BAD_VALUE, f"{rule}, got {shown(file_name)}")
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


def _given_id(record: Mapping[str, Any], member: str, place: int) -> Any:
    value = record.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        pointer = f"$.{member}[{place}].id"
        raise _refused(pointer, Code.BAD_VALUE, f"must be a whole number or a text, got {shown(value)}")
    return value


def _refused(pointer: str, code: Code, message: str, where: str = "labels") -> InputError:
    return InputError([Problem(where, None, pointer, code, message)])
