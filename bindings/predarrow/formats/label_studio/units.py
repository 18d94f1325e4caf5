"""Which media a task shows: its data unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.documents import Entry
from predarrow.formats.label_studio.wire import Members, any_of, members_of
from predarrow.report import Code

if TYPE_CHECKING:
    from predarrow.formats.label_studio.config import LabelingConfig

_LONGEST = 2048
"""Characters of an address."""


class Naming(NamedTuple):
    """What is told of where media stand."""

    config: LabelingConfig | None
    data_key: str | None

    def data_unit(self, task: Entry, to_names: Sequence[str], has_text_spans: bool) -> str:
        """Give a task's data unit.

        Args:
            task: a task, or a prediction that stands alone.
            to_names: those of its results, each once, in their order.
            has_text_spans: whether a result is a span of text.

        Raises:
            Flaw: `data` is no object, lacks `data_key`, or has several texts and nothing tells which.
        """
        if not task.is_task:
            return _number(task, "task", task.place)
        data = _data(task)
        found = self._told(task, data, to_names)
        if found is None:
            found = _guessed(task, data, to_names)
        if isinstance(found, str) and _is_address(found, has_text_spans):
            return found
        return _number(task, "id", task.place)

    def _told(self, task: Entry, data: Members, to_names: Sequence[str]) -> Any:
        """Give what stands where the config or the option says, None where neither does."""
        if self.config is not None:
            shown = [self.config.objects[name] for name in _split(to_names) if name in self.config.objects]
            for each in shown or self.config.objects.values():
                if each.variable is not None and each.variable in data:
                    return any_of(data[each.variable])
        if self.data_key is None:
            return None
        if self.data_key not in data:
            where = f"{task.pointer}.data"
            got = ", ".join(list(data)[:5]) or "none"
            raise Flaw(Code.BAD_VALUE, where, f"must have {self.data_key!r}, as data_key says", told=got)
        value = any_of(data[self.data_key])
        return False if value is None else value


def _data(task: Entry) -> Members:
    raw = task.members.get("data")
    if raw is None:
        return {}
    try:
        return members_of(raw)
    except msgspec.DecodeError:
        raise Flaw(Code.BAD_VALUE, f"{task.pointer}.data", "must be an object", any_of(raw)) from None


def _guessed(task: Entry, data: Members, to_names: Sequence[str]) -> Any:
    for name in _split(to_names):
        if name in data and isinstance(value := any_of(data[name]), str):
            return value
    texts = {name: value for name, raw in data.items() if isinstance(value := any_of(raw), str)}
    if len(texts) > 1:
        rule = "must have one text, the media, or one under the name that results are for (to_name)"
        hint = "tell which with data_key= or config= (--data-key, --config)"
        raise Flaw(Code.AMBIGUOUS_DATA_UNIT, f"{task.pointer}.data", f"{rule}; {hint}", told=", ".join(list(texts)[:5]))
    return next(iter(texts.values()), None)


def _split(to_names: Sequence[str]) -> list[str]:
    """Give names of objects; a pairwise comparison names two, `left,right`, some name the data itself, `$image`."""
    return [name.removeprefix("$") for each in to_names for name in each.split(",")]


def _is_address(value: str, has_text_spans: bool) -> bool:
    if not value or len(value) > _LONGEST or "\n" in value or "\r" in value:
        return False
    looks_so = ("://" in value or value.startswith("/")) and not any(map(str.isspace, value))
    return looks_so or not has_text_spans


def _number(task: Entry, member: str, place: int) -> str:
    """Give a task by its number."""
    raw = task.members.get(member)
    value = None if raw is None else any_of(raw)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else f"task {place}"
