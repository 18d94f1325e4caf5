"""Options of every command that reads masks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from predarrow.cli.file_options import file_options, given, read_json, refuse_second, together

PRESETS = ("voc", "cityscapes", "cityscapes_train", "ade20k", "coco_stuff", "camvid")

_COLOUR = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.IGNORECASE)
_RGB_HELP = 'Read RGB files as COCO panoptic ids, or by a JSON file of colour: value, as {"#804080": 1}.'

mask_options = together(
    click.option("--preset", type=click.Choice(PRESETS), help="Background and void of a well-known data set."),
    click.option("--background", metavar="VALUE", help="Value that is no class, or none.  [default: 0]"),
    click.option("--void", type=int, multiple=True, metavar="VALUE", help="Another one; repeatable."),
    click.option("--outline", type=click.Choice(["edge", "center"]), help="Edges, or as OpenCV.  [default: edge]"),
    click.option("--holes", type=click.Choice(["keep", "fill"]), help="Holes as rings, or filled.  [default: keep]"),
    click.option("--connectivity", type=click.Choice(["8", "4"]), help="Whether corners join.  [default: 8]"),
    click.option("--min-area", type=click.IntRange(0), help="Leave out components of fewer pixels."),
    click.option("--encord-active", is_flag=True, help="Leave out what Encord Active leaves out."),
    click.option("--simplify", type=click.FloatRange(0), metavar="PIXELS", help="Douglas-Peucker tolerance."),
    click.option("--rgb", metavar="panoptic|FILE", help=_RGB_HELP),
    click.option("--max-classes", type=click.IntRange(1), help="Distinct values of a mask at most.  [default: 4096]"),
    click.option("--max-pixels", type=click.IntRange(1), help="Of a mask at most.  [default: 268435456]"),
    file_options,
)  # fmt: skip


def given_mask_options(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options that were given, as the library's arguments; they stand above those of a preset."""
    from predarrow.formats.masks import PRESETS as VALUES

    options = given(arguments)
    preset = VALUES[options.pop("preset")] if "preset" in options else {}
    if "background" in options:
        options["background"] = _background(options["background"])
    if "connectivity" in options:
        options["connectivity"] = int(options["connectivity"])
    if options.get("rgb", "panoptic") != "panoptic":
        options["rgb"] = _read_colours(Path(options["rgb"]))
    return {**preset, **options}


def parse_classes(texts: tuple[str, ...]) -> dict[int, str | None] | None:
    """Give class names by pixel value from `1=road` (repeatable) or the path of a JSON object; none give None.

    Raises:
        click.BadParameter: neither, or a value twice.
    """
    classes: dict[int, str | None] = {}
    for text in texts:
        value, is_pair, name = text.partition("=")
        if is_pair and value.strip().isdecimal():
            refuse_second(classes, int(value))
            classes[int(value)] = name or None
        elif Path(text).is_file():
            for number, named in _read_classes(Path(text)):
                refuse_second(classes, number)
                classes[number] = named
        else:
            raise click.BadParameter(f"must be VALUE=NAME or a JSON file, got {text!r}", param_hint="--class")
    return classes if texts else None


def _background(text: str) -> int | None:
    if text.lower() == "none":
        return None
    if not text.isdecimal():
        raise click.BadParameter(f"must be a whole number or none, got {text!r}", param_hint="--background")
    return int(text)


def _read_classes(path: Path) -> list[tuple[int, str | None]]:
    rule = "must be a JSON object of pixel value: name"
    loaded = read_json(path, "--class", rule)
    try:
        return [(int(value), name) for value, name in loaded.items()]
    except (ValueError, AttributeError) as error:
        raise click.BadParameter(f"{path}: {rule}, got {error}", param_hint="--class") from None


def _read_colours(path: Path) -> dict[tuple[int, ...], Any]:
    rule = 'must be panoptic, or a JSON file of colour: value, as {"#804080": 1}'
    loaded = read_json(path, "--rgb", rule)
    if not isinstance(loaded, dict):
        raise click.BadParameter(f"{path}: {rule}, got {type(loaded).__name__}", param_hint="--rgb")
    colours: dict[tuple[int, ...], Any] = {}
    for text, value in loaded.items():
        match = _COLOUR.fullmatch(text)
        colour = tuple(int(channel, 16) for channel in match.groups()) if match else ()
        if not match or colour in colours:
            got = f"{text!r} twice" if match else repr(text)
            raise click.BadParameter(
                f"{path}: each colour must be #rrggbb and stand once, got {got}", param_hint="--rgb"
            )
        colours[colour] = value
    return colours
