"""What may be asked for when label masks are traced."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from predarrow.errors import PredarrowError
from predarrow.formats.png import ColourMap
from predarrow.options import whole_number
from predarrow.refusals import shown

if TYPE_CHECKING:
    from predarrow_engine.outlines import Outlines
    from predarrow_engine.trace import Tracer


class TraceOptions(TypedDict, total=False):
    """Which components are traced, and how."""

    background: int | None
    """Value that is no class (default 0), None where every value is one."""
    void: Sequence[int]
    """Further values that are no class, such as 255 for "ignore"."""
    outline: Literal["edge", "center"]
    """"edge" (default) follows pixel edges: a polygon's area is its number of pixels. "center" gives the
    vertices of `cv2.findContours`, through pixel centres."""
    holes: Literal["keep", "fill"]
    """"keep" (default) gives them as rings; "fill" leaves them out, with what lies in them."""
    connectivity: Literal[4, 8]
    """8 (default) joins pixels that touch at a corner."""
    min_area: int
    """Components of fewer pixels are left out (default 0: none)."""
    encord_active: bool
    """Leave out what Encord Active leaves out: under 3 contour points or a contour area under 4."""
    approximation: Literal["simple", "none"]
    """Of "center": OpenCV's CHAIN_APPROX_SIMPLE (default) or CHAIN_APPROX_NONE."""


class MaskOptions(TraceOptions, total=False):
    """How a mask becomes predictions."""

    simplify: float | None
    """Tolerance in pixels of a Douglas-Peucker simplification (default None: vertices are exact)."""
    max_classes: int
    """Distinct values that a mask may have (default 4096): beyond, it is a soft map and refused."""


class MaskFileOptions(MaskOptions, total=False):
    """How a mask file becomes predictions."""

    rgb: Literal["panoptic"] | ColourMap | None
    """How an RGB file becomes values; None (default) refuses it. See `read_png`."""
    max_pixels: int
    """Larger images are refused before memory is taken for them."""


PRESETS: Mapping[str, TraceOptions] = {
    "voc": {"background": 0, "void": (255,)},
    "cityscapes": {"background": 0},  # labelIds: 0 is "unlabeled"
    "cityscapes_train": {"background": None, "void": (255,)},  # labelTrainIds: 0 is "road"
    "ade20k": {"background": 0},  # SceneParsing: 1..150
    "coco_stuff": {"background": None, "void": (255,)},  # 0 is "person"
    "camvid": {"background": None, "void": (11,)},  # 0 is "sky"
}
"""Values of well-known data sets that are no class: `read_masks(path, **PRESETS["voc"])`."""


_TRACER_OPTIONS = TraceOptions.__annotations__.keys() - {"background", "void"}
_PIXEL_VALUES = -(2**31), 2**32 - 1  # of int32 and uint32
_LARGEST = 2**63 - 1


def new_tracer(options: TraceOptions) -> Tracer:
    """Give a tracer with these options; those that are not its own are left to others.

    Raises:
        PredarrowError: a value that an option does not allow.
        TypeError: an option that there is not.
    """
    from predarrow_engine.trace import Tracer

    if unknown := options.keys() - MaskFileOptions.__annotations__.keys():
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
    _check_numbers(options)
    of_tracer: dict[str, Any] = {name: value for name, value in options.items() if name in _TRACER_OPTIONS}
    try:
        return Tracer(background=None, void=left_out(options), **of_tracer)
    except ValueError as error:
        raise PredarrowError(str(error)) from None


def left_out(options: TraceOptions) -> list[int]:
    """Give the values that are no class, the background among them.

    Raises:
        PredarrowError: values that no pixel can have.
    """
    background, void = options.get("background", 0), _void(options)
    values = [] if background is None else [("background", background)]
    values += [("void", value) for value in void]
    return [whole_number(name, value, *_PIXEL_VALUES) for name, value in values]


def _void(options: TraceOptions) -> Collection[int]:
    void: object = options.get("void", ())
    if isinstance(void, str | bytes) or not isinstance(void, Collection):
        raise PredarrowError(f"void: must be a list of whole numbers, got {shown(void)}")
    return void


def _check_numbers(options: Mapping[str, object]) -> None:
    whole_number("min_area", options.get("min_area", 0), 0, _LARGEST)
    whole_number("max_classes", options.get("max_classes", 1), 1)
    whole_number("max_pixels", options.get("max_pixels", 1), 1)
    tolerance = options.get("simplify")
    if tolerance is not None and not isinstance(tolerance, Real):
        raise PredarrowError(f"simplify: must be a number of pixels or None, got {shown(tolerance)}")


def simplified(outlines: Outlines, tolerance: float) -> Outlines:
    """Give outlines with fewer vertices; see `predarrow_engine.simplify`.

    Raises:
        PredarrowError: a tolerance that is none.
    """
    from predarrow_engine.simplify import simplify

    try:
        return simplify(outlines, tolerance)
    except ValueError as error:
        raise PredarrowError(f"simplify: {error}") from None


def n_left_out(options: TraceOptions) -> int:
    """Give how many values are no class."""
    return 1 + len(options.get("void", ()))
