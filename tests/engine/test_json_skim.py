"""Past the items of a list that is not looked at, against a walk over its bytes one by one."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine._jit import kernel
from predarrow_engine.coco import CocoScanner
from predarrow_engine.coco_columns import ANNOTATIONS, CATEGORIES, IMAGES
from predarrow_engine.json_skim import after_items

_texts = st.text(st.sampled_from('ab"\\[]{},:ü\n'), max_size=70)
_values = st.recursive(
    st.integers(-9, 10**6) | _texts | st.none(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(_texts, values, max_size=3),
    max_leaves=12,
)
_items = st.lists(st.dictionaries(_texts, _values, max_size=3) | st.lists(_values, max_size=3), min_size=1, max_size=12)


@kernel
def _skim(data: npt.NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    address = data.ctypes.data
    stop, is_end = after_items(address, at, end)
    return stop, is_end


def _naive(text: bytes, at: int) -> tuple[int, bool]:
    last, depth, inside, i = at, 0, False, at
    while i < len(text):
        byte = text[i : i + 1]
        if inside and byte == b"\\":
            i += 1
        elif byte == b'"':
            inside = not inside
        elif not inside and byte in b"[{":
            depth += 1
        elif not inside and byte in b"]}":
            if depth == 0:
                return i, True
            depth -= 1
            last = i + 1 if depth == 0 else last
        i += 1
    return last, False


@settings(max_examples=300)
@given(items=_items, indent=st.sampled_from([None, 0]), cut=st.integers(0, 200), blanks=st.integers(0, 70))
def test_items_of_a_list(items: list[object], indent: int | None, cut: int, blanks: int) -> None:
    whole = (" " * blanks + json.dumps(items, ensure_ascii=False, indent=indent)).encode()
    text = whole[: max(len(whole) - cut, blanks + 1)]
    data = np.frombuffer(text, np.uint8)
    assert _skim(data, blanks + 1, data.size) == _naive(text, blanks + 1)
    stop, is_end = _naive(whole, blanks + 1)
    assert is_end
    assert stop == len(whole) - 1


@settings(max_examples=100)
@given(annotations=_items, images=_items, size=st.integers(1, 500))
def test_lists_behind_one_that_is_skimmed(annotations: list[object], images: list[object], size: int) -> None:
    text = json.dumps({"annotations": annotations, "images": images, "categories": annotations}).encode()
    scanner = CocoScanner(wanted=(IMAGES, CATEGORIES), skimmed=(ANNOTATIONS,))
    n_images = n_categories = at = 0
    step = size
    while at < len(text):
        end = min(at + step, len(text))
        block = scanner.scan(np.frombuffer(text[at:end], np.uint8), last=end == len(text))
        assert block.code == 0
        n_images += block.images.kind.size
        n_categories += len(block.objects)
        step = size if block.consumed else 2 * step
        at += block.consumed
    assert (n_images, n_categories) == (len(images), len(annotations))


@pytest.mark.parametrize("length", [62, 63, 64, 65, 127])
def test_quotes_at_the_end_of_64_bytes(length: int) -> None:
    text = b'[{"' + b"a" * (length - 4) + b'\\"]}":1},{"b":2}] '
    data = np.frombuffer(text, np.uint8)
    assert _skim(data, 1, data.size) == _naive(text, 1) == (len(text) - 2, True)
