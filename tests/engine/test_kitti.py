"""KITTI text: every odd line with its stated result, and the kernel against its slow twin, to the last bit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import kitti, kitti_text
from tests import naive_kitti
from tests.corpus import corpus_path
from tests.guarded import guarded

NUMBERS = "0.00 0 -1.57 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59"
COMMAS = NUMBERS.replace(" ", ",")
CAR = f"Car {NUMBERS}"


def buffer(files: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Give files one after the other, directly before memory that may not be read, and where each begins."""
    offsets = np.cumsum([0, *(len(content) for content in files)], dtype=np.int64)
    return guarded(np.frombuffer(b"".join(files), np.uint8)), offsets


def parse(*files: str | bytes) -> kitti.KittiRows:
    return kitti.parse(*buffer([text.encode() if isinstance(text, str) else text for text in files]))


def assert_like_twin(files: Sequence[bytes]) -> kitti.KittiRows:
    """Compare with the twin, at the end of memory and with room behind: plain lines are read quickly only there."""
    rows = _compare(files)
    padded = _compare([*files, b" " * 200])
    assert padded.code.tolist() == rows.code.tolist()
    return rows


def _compare(files: Sequence[bytes]) -> kitti.KittiRows:
    data, offsets = buffer(files)
    rows, expected = kitti.parse(data, offsets), naive_kitti.parse(data, offsets)
    assert rows.names == expected.names
    for name in kitti.KittiRows._fields[:-1]:
        found, wanted = getattr(rows, name), getattr(expected, name)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted, err_msg=name)
    good = np.flatnonzero(rows.code == kitti.OK)
    chosen = np.concatenate([good[::-1], good[:1]])
    text_offsets, text = kitti_text.attributes(data, rows, chosen)
    texts = [text[a:b].tobytes().decode() for a, b in pairwise(text_offsets)]
    assert texts == naive_kitti.attributes(data, expected, chosen)
    return rows


READ = {
    "label": (CAR, kitti.LABEL, b"Car"),
    "result": (f"{CAR} 0.98", kitti.RESULT, b"Car"),
    "tracking": (f"0 1 {CAR}", kitti.TRACKING, b"Car"),
    "tracking result": (f"12 -1 {CAR} -7", kitti.TRACKING_RESULT, b"Car"),
    "whole numbers with a dot": (f"3.0 5. {CAR}", kitti.TRACKING, b"Car"),
    "CR LF": (f"{CAR}\r", kitti.LABEL, b"Car"),
    "trailing blanks": (f"{CAR}  \t", kitti.LABEL, b"Car"),
    "leading and double blanks": ("  " + CAR.replace(" ", "  "), kitti.LABEL, b"Car"),
    "tabs": (CAR.replace(" ", "\t"), kitti.LABEL, b"Car"),
    "tabs and blanks": (f"{CAR} \t0.5", kitti.RESULT, b"Car"),
    "byte order mark": (f"\ufeff{CAR}", kitti.LABEL, b"Car"),
    "scientific notation": (f"Car {NUMBERS.replace('587.01', '5.8701e+02')}", kitti.LABEL, b"Car"),
    "six decimals": (f"Car {' '.join(f'{float(x):.6f}' for x in NUMBERS.split())}", kitti.LABEL, b"Car"),
    "inf and nan": (f"Car {NUMBERS.replace('587.01', 'inf').replace('46.70', 'NaN')}", kitti.LABEL, b"Car"),
    "class with a space": (f"traffic light {NUMBERS}", kitti.LABEL, b"traffic light"),
    "class with spaces, result": (f"bicycle with space {NUMBERS} 1", kitti.RESULT, b"bicycle with space"),
    "class with a space, tracked": (f"0 1 traffic light {NUMBERS} 1", kitti.TRACKING_RESULT, b"traffic light"),
    "class with brackets": (f"Person (sitting) {NUMBERS}", kitti.LABEL, b"Person (sitting)"),
    "quoted": (f'"traffic light" {NUMBERS}', kitti.LABEL, b"traffic light"),
    "quoted in apostrophes": (f"'traffic \"7\" light' {NUMBERS} 1", kitti.RESULT, b'traffic "7" light'),
    "quoted, tracked": (f"0 1 'type 2' {NUMBERS}", kitti.TRACKING, b"type 2"),
    "apostrophe inside": (f"driver's {NUMBERS}", kitti.LABEL, b"driver's"),
    "class NA": (f"NA {NUMBERS}", kitti.LABEL, b"NA"),
    "class null": (f"null {NUMBERS} 1", kitti.RESULT, b"null"),
    "class nan": (f"nan {NUMBERS}", kitti.LABEL, b"nan"),
    "class 1": (f"1 {NUMBERS}", kitti.LABEL, b"1"),
    "class 1 with a score": (f"1 {NUMBERS} 0.5", kitti.RESULT, b"1"),
    "commas": (f"Car,{COMMAS}", kitti.LABEL, b"Car"),
    "commas, result": (f"Car,{COMMAS},0.5", kitti.RESULT, b"Car"),
    "commas, tracked": (f"0,1,Car,{COMMAS}", kitti.TRACKING, b"Car"),
    "commas and blanks": (f"Car , {COMMAS.replace(',', ', ')}", kitti.LABEL, b"Car"),
    "commas, class with a space": (f"traffic light,{COMMAS}", kitti.LABEL, b"traffic light"),
    "commas in a quoted class": (f'"a, b",{COMMAS}', kitti.LABEL, b"a, b"),
    "commas in a quoted class, tracked": (f'0,1,"a,b",{COMMAS}', kitti.TRACKING, b"a,b"),
    "comma in a class": (f"Car,big {NUMBERS}", kitti.LABEL, b"Car,big"),
    "commas, class 1": (f"1,{COMMAS}", kitti.LABEL, b"1"),
    "commas, class 1.5": (f"1.5,{COMMAS}", kitti.LABEL, b"1.5"),
    "commas, class 1 quoted": ('"1",' + ",".join("0" * 14), kitti.LABEL, b"1"),
    "letters beyond ASCII": (f"v\u00e9lo {NUMBERS}", kitti.LABEL, "v\u00e9lo".encode()),
    "long class": (f"{'heavy_' * 20}truck {NUMBERS}", kitti.LABEL, b"heavy_" * 20 + b"truck"),
}


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r", "\n\n\n"])
@pytest.mark.parametrize(("line", "layout", "name"), READ.values(), ids=READ.keys())
def test_lines_that_are_read(line: str, layout: int, name: bytes, end: str) -> None:
    rows = assert_like_twin([(line + end).encode()])
    assert rows.code.tolist() == [kitti.OK]
    assert rows.layout.tolist() == [layout]
    assert rows.names == [name]
    assert rows.name.tolist() == [0]
    numbers = [float(text) for text in NUMBERS.split()]
    if "inf" not in line and '"1"' not in line:
        assert rows.numbers[:, 0].tolist() == numbers
    assert np.isnan(rows.score[0]) == (layout in (kitti.LABEL, kitti.TRACKING))


REFUSED = {
    "empty class": (f'"" {NUMBERS}', kitti.NO_NAME, 0, 15),
    "empty class before commas": (f",{COMMAS}", kitti.NO_NAME, 0, 15),
    "open quote": (f'"traffic light {NUMBERS}', kitti.BAD_QUOTE, 0, 0),
    "text behind a quote": (f"'traffic'light {NUMBERS}", kitti.BAD_QUOTE, 0, 0),
    "doubled quote": (f'"a""b" {NUMBERS}', kitti.BAD_QUOTE, 0, 0),
    "open quote, tracked": (f"0 1 'Car {NUMBERS}", kitti.BAD_QUOTE, 4, 0),
    "one field": ("Car", kitti.BAD_FIELD_COUNT, 0, 1),
    "frustum": ("image_2/000001.png 2 0.998467 389 181 424 202", kitti.BAD_FIELD_COUNT, 0, 7),
    "ByteTrack": ("1,1,912.0,484.0,97.0,109.0,0.96,-1,-1,-1", kitti.BAD_FIELD_COUNT, 0, 10),
    "AB3DMOT": (
        "0,2,587.01,173.33,614.12,200.12,0.9,1.65,1.67,3.64,-0.65,1.71,46.70,-1.59,-1.57",
        *(kitti.UNKNOWN_COLUMN_ORDER, 0, 15),
    ),
    "AB3DMOT with dots": (f"0.0,2.000000,{COMMAS[COMMAS.index('.') + 4 :]}", kitti.UNKNOWN_COLUMN_ORDER, 0, 15),
    "AB3DMOT, frame with a dot": ("3.,2,1,1,2,2,15,20,2,4,-5,2,13,-2,-2", kitti.UNKNOWN_COLUMN_ORDER, 0, 15),
    "decimal comma": (f"Car {NUMBERS.replace('.', ',')}", kitti.BAD_NUMBER, 4, 15),
    "decimal comma in the score": (f"{CAR} 0,98", kitti.BAD_NUMBER, len(CAR) + 1, 16),
    "text in a number": (CAR.replace("46.70", "far"), kitti.BAD_NUMBER, CAR.index("46.70"), 15),
    "underscore": (CAR.replace("46.70", "4_6.70"), kitti.BAD_NUMBER, CAR.index("46.70"), 15),
    "missing number": (f"Car NA {NUMBERS}", kitti.BAD_NUMBER, 4, 16),
    "missing number of a result": (f"Car None {NUMBERS} 1", kitti.BAD_FIELD_COUNT, 0, 17),
    "number too many": (f"{CAR} 1 2", kitti.BAD_FIELD_COUNT, 0, 17),
    "number in a class": (f"type 2 {NUMBERS} 1", kitti.BAD_FIELD_COUNT, 0, 17),
    "frame without a track": (f"5 {CAR}", kitti.BAD_FIELD_COUNT, 0, 16),
    "only numbers, tracked": (f"0 1 2 {NUMBERS}", kitti.BAD_FIELD_COUNT, 0, 17),
    "empty score": (f"Car,{COMMAS},", kitti.BAD_NUMBER, len(CAR) + 1, 16),
    "empty number": (f"Car,{COMMAS.replace('46.70', '')}", kitti.BAD_NUMBER, CAR.index("46.70"), 15),
    "only commas": (",,,", kitti.BAD_FIELD_COUNT, 0, 4),
    "half a frame": (f"1.5 2 {CAR}", kitti.BAD_FRAME, 0, 17),
    "negative frame": (f"-1 2 {CAR}", kitti.BAD_FRAME, 0, 17),
    "large frame": (f"2147483648 2 {CAR}", kitti.BAD_FRAME, 0, 17),
    "large track": (f"1 9007199254740992 {CAR}", kitti.BAD_FRAME, 2, 17),
    "dot only": (f".0 1 {CAR}", kitti.BAD_FRAME, 0, 17),
    "text for a frame": (f"x,1,Car,{COMMAS}", kitti.BAD_FRAME, 0, 17),
    "text in a tracked number": (f"0 1 {CAR.replace('46.70', 'far')}", kitti.BAD_NUMBER, 4 + CAR.index("46.70"), 17),
    "UTF-16": (CAR.encode("utf-16"), kitti.BAD_NUMBER, 9, 15),
    "many fields": (" ".join("x" * 70), kitti.BAD_FIELD_COUNT, 0, 70),
}


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize(("line", "code", "place", "n_fields"), REFUSED.values(), ids=REFUSED.keys())
def test_lines_that_are_refused(line: str | bytes, code: int, place: int, n_fields: int, end: str) -> None:
    coded = line.encode() if isinstance(line, str) else line
    rows = assert_like_twin([coded + end.encode()])
    assert (rows.code.tolist(), rows.place.tolist(), rows.n_fields.tolist()) == ([code], [place], [n_fields])
    assert rows.names == []
    assert np.isnan(rows.numbers).all()


def test_blank_lines_and_empty_files_give_no_record_but_count_as_lines() -> None:
    rows = assert_like_twin([b"", b"\n", b"\xef\xbb\xbf", b" \t\r\n", f"\n\r\n \r{CAR}\r\r{CAR}".encode(), b""])
    assert rows.file.tolist() == [4, 4]
    assert rows.line.tolist() == [4, 6]


def test_a_file_without_final_newline_does_not_run_into_the_next() -> None:
    rows = assert_like_twin([CAR.encode(), f"5 {NUMBERS}".encode(), b" ", b"\n", f"{CAR} 1".encode(), b"2"])
    assert rows.file.tolist() == [0, 1, 4, 5]
    assert rows.numbers[13].tolist()[:3] == [-1.59, -1.59, -1.59]
    assert rows.score[2] == 1
    assert rows.names == [b"Car", b"5"]


def test_a_file_keeps_the_layout_of_its_first_record() -> None:
    text = "\n".join(["Car x", CAR, f"{CAR} 1", f"a b {NUMBERS}", f"new {NUMBERS} 1"]).encode()
    rows = assert_like_twin([text, f"{CAR} 1\n{CAR}".encode()])
    mixed, good = kitti.MIXED_FIELD_COUNT, kitti.OK
    assert rows.code.tolist() == [kitti.BAD_FIELD_COUNT, good, mixed, good, mixed, good, mixed]
    assert rows.names == [b"Car", b"a b"]


def test_dont_care_is_told_by_its_name() -> None:
    object_order = "DontCare -1 -1 -10 600 170 620 185 -1 -1 -1 -1000 -1000 -1000 -10"
    tracking_order = "0 -1 DontCare -1 -1 -10.000000 2 4 6 8 -1000 -1000 -1000 -10 -1 -1 -1"
    files = [object_order, tracking_order, f"dontcare {NUMBERS}", f"DONTCARE {NUMBERS}", f"DontCare2 {NUMBERS}"]
    rows = assert_like_twin([text.encode() for text in files])
    assert rows.dont_care.tolist() == [True, True, True, True, False]
    assert rows.track.tolist() == [-1] * 5
    assert rows.numbers[7:, 1].tolist() == [-1000, -1000, -1000, -10, -1, -1, -1]


def test_names_come_in_the_order_of_their_first_appearance() -> None:
    rng = random.Random(1)
    names = [f"class_{'x' * (i % 20)}{i}" for i in range(500)]
    lines = [f"{rng.choice(names)} {NUMBERS}" for _ in range(3000)]
    rows = assert_like_twin(["\n".join(lines).encode()])
    assert [rows.names[i].decode() for i in rows.name] == [line.split(" ", 1)[0] for line in lines]


def test_numbers_that_only_float_can_decide() -> None:
    """More of them than one run keeps the places of; one is a score."""
    beside = f"{2**53 + 1}.{'0' * 30}1"
    rows = assert_like_twin(["\n".join([f"Car {' '.join([beside] * 14)} {beside}"] * 9).encode()])
    assert (rows.numbers == 2**53 + 2).all()
    assert (rows.score == 2**53 + 2).all()


def test_attributes_keep_the_digits_that_json_allows() -> None:
    head, tail = "0.00 00.5 +1 ", " 46.70 -1.590e+00"
    rows = parse(f"Car {head}{' '.join('1' * 9)}{tail}")
    data, _ = buffer([f"Car {head}{' '.join('1' * 9)}{tail}".encode()])
    _, text = kitti_text.attributes(data, rows, np.array([0]))
    assert text.tobytes() == (
        b'{"alpha":1.0,"convention":"kitti","occluded":0.5,"rotation_y":-1.590e+00,"truncated":0.00}'
    )
    lasts = ("inf", "-nan", "-0", "1e5", "1.e5", "007", "-.5", "+.5e-3")
    firsts = [f"{x} -{x} {x}5 {' '.join('1' * 10)}" for x in ("1.", ".5", "0.", "01")]
    assert_like_twin([f"Car {first} {last}".encode() for first in firsts for last in lasts])


@pytest.mark.parametrize("chosen", [[1], [-1], [2]])
def test_attributes_of_refused_or_missing_records_are_an_error(chosen: list[int]) -> None:
    data, offsets = buffer([f"{CAR}\nCar".encode()])
    with pytest.raises(ValueError, match="records that were read"):
        kitti_text.attributes(data, kitti.parse(data, offsets), np.array(chosen))


def test_attributes_of_other_data_are_an_error() -> None:
    data, offsets = buffer([CAR.encode()])
    with pytest.raises(ValueError, match="parsed from, got 10 bytes"):
        kitti_text.attributes(data[:10], kitti.parse(data, offsets), np.array([0]))


@pytest.mark.parametrize(
    ("data", "offsets"),
    [
        (np.zeros(3, np.uint8), np.array([0, 4])),
        (np.zeros(3, np.uint8), np.array([2, 1])),
        (np.zeros(3, np.uint8), np.array([-1, 1])),
        (np.zeros(3, np.uint8), np.array([], np.int64)),
        (np.zeros(3, np.int8), np.array([0, 3])),
        (np.zeros(3, np.uint8), np.array([0, 3], np.int32)),
        (np.zeros((3, 1), np.uint8), np.array([0, 3])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
    with pytest.raises(ValueError, match=r"must be uint8|must ascend"):
        kitti.parse(data, offsets)


@given(st.binary(max_size=9), st.sampled_from([0, 1, 55, 63, 64, 65, 127, 128, 200]))
def test_there_is_room_for_every_line(ends: bytes, n: int) -> None:
    content = (b"\n\r\x0b\x0a " + ends + b"Car 0 \n") * 40
    data, offsets = buffer([content[:n]])
    data = data.view()
    data.flags.writeable = offsets.flags.writeable = False
    n_ends = content[:n].count(b"\n") + content[:n].count(b"\r")
    assert kitti._count_lines(data, offsets) == n_ends + offsets.size


def test_no_byte_behind_the_data_is_read() -> None:
    content = (
        f"{CAR} 0.5\nPedestrian {NUMBERS} 0.123456789\n0 1 {CAR}\n'a b' {NUMBERS}\r\n{CAR.replace(' ', ',')}".encode()
    )
    for end in range(len(content) + 1):
        assert_like_twin([content[:end]])
        assert_like_twin([content[: end // 2], content[end // 2 : end]])


_WORDS = st.sampled_from(
    [
        "Car",
        "Pedestrian",
        "DontCare",
        "traffic",
        "light",
        "'a",
        "b'",
        '"x',
        'y"',
        '"',
        "NA",
        "None",
        "nan",
        "inf",
        "1",
        "2",
        "-1",
        "0",
        "0.00",
        "-1.57",
        "587.01",
        "1e5",
        "12345.678901",
        "123456789",
        ".5",
        "5.",
        ".",
        "-",
        "+",
        "1,5",
        ",",
        "1.5e-3",
        "9007199254740993.0000000000000000000000001",
        "\ufeff",
        "vélo",
        "Car,big",
    ]
)
_GAPS = st.sampled_from([" ", " ", " ", " ", "  ", "\t", ",", ", ", " ,", "\n", "\r\n", "\r", "\x0b"])


@st.composite
def _lines(draw: st.DrawFn) -> str:
    """Give a line that is nearly right: a layout's fields, one gap for all of them, then up to three changes."""
    gap = draw(st.sampled_from([" ", " ", " ", "\t", ",", ", ", "  "]))
    fields = [*draw(st.sampled_from([[], [], ["0", "1"]])), draw(_WORDS)]
    fields += [draw(st.sampled_from(["0", "-1", "0.00", "587.01", "-10.000000", "1e2"])) for _ in range(14)]
    fields += draw(st.sampled_from([[], ["0.98"], ["0.5", "1"]]))
    parts = [part for field in fields for part in (field, gap)][:-1]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(parts) - 1))
        parts[at] = draw(_WORDS) if at % 2 == 0 else draw(_GAPS)
    return (
        draw(st.sampled_from(["", "", "", " ", "\ufeff"])) + "".join(parts) + draw(st.sampled_from(["", "", "", " "]))
    )


_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
_FILES = st.lists(
    st.builds(lambda lines, end: end.join(lines).encode(), st.lists(_lines(), max_size=4), _ENDS), max_size=4
)


@settings(max_examples=400)
@given(_FILES)
def test_like_the_twin_on_lines_that_are_nearly_right(files: list[bytes]) -> None:
    assert_like_twin(files)


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=60), max_size=4), st.lists(st.integers(0, 200), max_size=3))
def test_like_the_twin_on_bytes(pieces: list[bytes], places: list[int]) -> None:
    content = bytearray(f"{CAR} 1\nPedestrian {NUMBERS} 2\n".encode())
    for piece, place in zip(pieces, places, strict=False):
        content[place : place + len(piece) // 2] = piece
    assert_like_twin([bytes(content), *pieces])


def _mutated(rng: random.Random) -> bytes:
    names, scores, wrong = ("Car", "a b", "0 1 Van", '"x y"'), ("", " 0.5"), b"\n\r\t ,.-+e0123456789\"'Cx\x00\xef"
    lines = [f"{rng.choice(names)} {NUMBERS}{rng.choice(scores)}" for _ in range(4)]
    content = bytearray(rng.choice(("\n", "\r\n")).join(lines).encode())
    if rng.random() < 0.3:
        content = content.replace(b" ", b",")
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(content))
        content[at : at + rng.randrange(3)] = bytes(rng.choices(wrong, k=rng.randrange(3)))
    return bytes(content)


def test_like_the_twin_on_mutated_files() -> None:
    rng = random.Random(0)
    for _ in range(150):
        assert_like_twin([_mutated(rng) for _ in range(10)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_like_the_twin_on_many_mutated_files(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(3000):
        assert_like_twin([_mutated(rng) for _ in range(10)])


def test_real_files() -> None:
    folder = corpus_path("kitti")
    files = [path.read_bytes() for path in sorted(folder.rglob("*.txt")) if path.stat().st_size < 10**6]
    rows = assert_like_twin(files)
    assert (rows.code == kitti.OK).any()
    assert rows.file[-1] == len(files) - 1


def test_one_compiled_form_of_each_kernel() -> None:
    writable = np.frombuffer(bytearray(CAR.encode()), np.uint8)
    rows = kitti.parse(writable, np.array([0, writable.size]))
    kitti_text.attributes(writable, rows, np.array([0]))
    kitti_text.attributes(writable.copy(), rows, np.array([], np.int64))
    parse(CAR)
    for kernel in (kitti._parse, kitti._count_lines, kitti_text._write):
        assert len(kernel.signatures) == 1
