"""The door: whatever array comes, kernels see one form of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_SEEN_AS: dict[np.dtype[Any], type[np.unsignedinteger]] = {
    np.dtype(np.bool_): np.uint8,
    np.dtype(np.uint8): np.uint8,
    np.dtype(np.uint16): np.uint16,
    np.dtype(np.uint32): np.uint32,
    np.dtype(np.int32): np.uint32,
}


def label_image(labels: Any) -> tuple[npt.NDArray[np.unsignedinteger], bool]:
    """Give a label image as contiguous, read-only uint8, uint16 or uint32, and whether it is int32 in disguise.

    No copy is made of contiguous bool, uint8, uint16, uint32 or int32 arrays. Other integers are converted where
    their values fit 32 bits.

    Args:
        labels: (height, width) integers or booleans, anything that NumPy takes.

    Raises:
        ValueError: not two-dimensional, not integers, or values outside 32 bits.
    """
    image = np.asarray(labels)
    if image.ndim != 2:
        raise ValueError(f"a label image has two dimensions (height, width), got shape {image.shape}")
    if image.dtype not in _SEEN_AS:
        image = _to_32_bits(image)
    signed = image.dtype == np.int32
    image = np.ascontiguousarray(image).view(_SEEN_AS[image.dtype])
    image.flags.writeable = False
    return image, signed


def _to_32_bits(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if image.dtype.kind not in "iu":
        raise ValueError(f"a label image holds integers, got {image.dtype}; threshold or round it first")
    if image.dtype.itemsize <= 2:  # int8, int16 and foreign byte orders
        return image.astype(np.int32)
    low, high = (int(image.min()), int(image.max())) if image.size else (0, 0)
    if 0 <= low and high < 2**32:
        return image.astype(np.uint32)
    if -(2**31) <= low and high < 2**31:
        return image.astype(np.int32)
    raise ValueError(f"label values must fit 32 bits, got {low} to {high}")
