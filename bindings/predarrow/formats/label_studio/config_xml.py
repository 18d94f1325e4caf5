"""Labelling configs as elements, read without anything that XML lets a file make grow.

No document type is taken, so there are no entities beyond XML's own five; text between tags means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat

from predarrow.formats.flaws import Flaw
from predarrow.report import Code

MAX_BYTES = 1 << 24
"""A taxonomy of 100,000 choices takes 6 MB."""
MAX_DEPTH = 256
"""As deep as libxml2 goes, which Label Studio reads configs with."""


@dataclass(slots=True)
class Element:
    """A tag with its attributes, and those that it stands in."""

    tag: str
    attributes: dict[str, str]
    line: int
    parent: Element | None


def parse_elements(text: str) -> list[Element]:
    """Give a config's elements in the order of their start, the root first.

    Raises:
        Flaw: it is too long or too deep, no XML, or has a document type.
    """
    encoded = text.encode(errors="surrogatepass")
    if len(encoded) > MAX_BYTES:
        rule = f"a labelling config must have at most {MAX_BYTES:,} bytes"
        raise Flaw(Code.TOO_LARGE, "", rule, told=f"{len(encoded):,}")
    elements: list[Element] = []
    inside: list[Element] = []
    parser = expat.ParserCreate("utf-8")

    def start(tag: str, attributes: dict[str, str]) -> None:
        parent = inside[-1] if inside else None
        if len(inside) == MAX_DEPTH:
            rule = f"a labelling config must be at most {MAX_DEPTH} tags deep"
            raise Flaw(Code.BAD_CONFIG, f"line {parser.CurrentLineNumber}", rule, told="one more")
        element = Element(tag, attributes, parser.CurrentLineNumber, parent)
        elements.append(element)
        inside.append(element)

    def end(_: str) -> None:
        inside.pop()

    def document_type(*_: object) -> None:
        place = f"line {parser.CurrentLineNumber}"
        raise Flaw(Code.BAD_CONFIG, place, "a labelling config must have no document type", told="<!DOCTYPE")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(encoded, True)
    except expat.ExpatError as error:
        told = f"{expat.ErrorString(error.code)} in column {error.offset + 1}"
        raise Flaw(Code.BAD_CONFIG, f"line {error.lineno}", "a labelling config must be XML", told=told) from None
    return elements
