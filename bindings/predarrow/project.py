"""A project: a folder with an ontology, data units and versioned prediction sets.

    project/
      project.json                        name, format version, time of creation
      ontology.json                       Encord's ontology structure
      data_units.parquet                  id, title, kind, width, height, ...
      predictions/<set>/                  a Delta Lake table
      reports/<set>/<version>.parquet     what the import of a version refused

No server and no lock that a killed process could leave behind: any number of processes may read and import.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from predarrow.errors import ProjectError
from predarrow.ontology import Ontology
from predarrow.scan import Filters, scan
from predarrow.store import PredictionSet

if TYPE_CHECKING:
    from predarrow.data_units import DataUnits
    from predarrow.labels.bundle import Bundle
    from predarrow.labels.row import LabelRow
    from predarrow.report import Report

FORMAT_VERSION = 1

_SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

HISTORY_SCHEMA = pa.schema(
    [
        pa.field("version", pa.int64(), nullable=False),
        pa.field("time", pa.timestamp("ms", "UTC"), nullable=False),
        pa.field("operation", pa.string(), nullable=False),
        pa.field("rows", pa.int64()),
        pa.field("details", pa.string(), nullable=False),
    ]
)
"""`rows` are those of the whole set in that version; `details` is a JSON object."""


class Project:
    """A folder of predictions with their ontology and data units."""

    path: Path
    name: str

    def __init__(self, path: str | Path) -> None:
        """Open a project.

        Raises:
            ProjectError: the folder is no project, or was made by a newer version of this package.
        """
        self.path = Path(path)
        self.name = _read_header(self.path)["name"]
        self._sets: dict[str, PredictionSet] = {}

    @classmethod
    def create(cls, path: str | Path, *, ontology: Ontology, data_units: DataUnits, name: str | None = None) -> Project:
        """Make a project folder, whole or not at all, and open it.

        Args:
            path: folder to make; may exist if it is empty.
            ontology: classes of the predictions.
            data_units: images, videos and sequences that predictions may belong to.
            name: the folder's name by default.

        Raises:
            ProjectError: the folder is not empty, or cannot be made; what it is made of is something else.
        """
        _check_contents(ontology, data_units, name)
        path = Path(path)
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise ProjectError(f"{path}: must be a new or empty folder to make a project in")
        absolute = path.absolute()
        temporary = absolute.with_name(f".{absolute.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            temporary.mkdir(parents=True)
            _write_contents(temporary, ontology, data_units, name or absolute.name)
            temporary.rename(absolute)
        except OSError as error:
            raise ProjectError(f"{path}: cannot be created: {error.strerror or error}") from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return cls(path)

    @cached_property
    def ontology(self) -> Ontology:
        """Classes of the predictions."""
        return Ontology.read(self.path / "ontology.json")

    @cached_property
    def data_units(self) -> DataUnits:
        """Images, videos and sequences that predictions may belong to."""
        from predarrow.data_units import DataUnits

        return DataUnits.read(self.path / "data_units.parquet")

    def sets(self) -> list[str]:
        """Give the names of the prediction sets, sorted."""
        folders = (self.path / "predictions").glob("*/")
        return sorted(folder.name for folder in folders if PredictionSet(folder).exists())

    def commit(
        self,
        batches: Iterable[pa.RecordBatch],
        *,
        set_name: str = "default",
        mode: Literal["overwrite", "append"] = "overwrite",
        report: Report | None = None,
        operation: str = "import",
        details: Mapping[str, str] | None = None,
        base: int | None = None,
    ) -> int:
        """Make the batches the rows of a prediction set, in one atomic commit.

        Memory is bounded by three row groups and a batch. If the batches end in an error (Ctrl-C included), the
        set stays as it was; a kill at any moment leaves the last version.

        Args:
            batches: in the prediction table's schema; the order of rows is kept.
            set_name: letters, digits, `.`, `_` and `-`.
            mode: replace the set's rows, or add to them.
            report: kept with the version, to be read by `report`; it may grow until the batches end.
            operation: word for the history.
            details: for the history, such as the folder that was imported.
            base: the version whose rows these were made from (see `last_version`); where it is not the last one any
                more, nothing is committed.

        Returns:
            The new version.

        Raises:
            ProjectError: the set's name is not allowed, or its files cannot be written.
            CommitConflictError: others committed to the set first, again and again, or since `base`.
        """
        if mode not in ("overwrite", "append"):
            raise ProjectError(f"mode: must be 'overwrite' or 'append', got {mode!r}")
        target = self._set(set_name, must_exist=False)
        version = target.commit(batches, mode=mode, operation=operation, details=details or {}, base=base)
        if report is not None:
            self._write_report(report, set_name, version)
        return version

    def last_version(self, set_name: str = "default") -> int:
        """Give the number of a set's last version, -1 where nothing was committed to it."""
        return self._set(set_name, must_exist=False).last_version()

    def label_row(self, data_unit: str, *, set_name: str = "labels", overwrite: bool = False) -> LabelRow:
        """Give the label row of a data unit, to add labels to and to save; see `bundle` for many of them.

        Args:
            data_unit: id, or title where one data unit has that.
            set_name: the set that the labels are saved to.
            overwrite: whether the first save replaces what the set has of the data unit.

        Raises:
            InputError: no such data unit, or several.
            ProjectError: the set's name is not allowed.
        """
        from predarrow.labels.bundle import Bundle

        self._set(set_name, must_exist=False)
        return Bundle(self, set_name, overwrite=overwrite, is_shared=False).label_row(data_unit)

    def bundle(self, set_name: str = "labels", *, overwrite: bool = False) -> Bundle:
        """Give what holds the label rows of many data units, for a `with` block that saves them in one commit.

        >>> with project.bundle() as bundle:  # doctest: +SKIP
        ...     bundle.label_row("a.png").add_object("Cherry", BoundingBox(0.1, 0.1, 0.5, 0.5))

        Args:
            set_name: the set that the labels are saved to.
            overwrite: whether they replace what the set has of the data units that have a label row here.

        Raises:
            ProjectError: the set's name is not allowed.
        """
        from predarrow.labels.bundle import Bundle

        self._set(set_name, must_exist=False)
        return Bundle(self, set_name, overwrite=overwrite)

    def scan(
        self,
        set_name: str = "default",
        *,
        data_unit: str | Sequence[str] | None = None,
        frame: int | Sequence[int] | None = None,
        class_name: str | Sequence[str] | None = None,
        min_confidence: float | None = None,
        columns: Sequence[str] | None = None,
        version: int | None = None,
    ) -> pa.RecordBatchReader:
        """Give a set's rows, as a stream of batches in the prediction table's schema.

        Args:
            set_name: name of the set.
            data_unit: id or ids of data units.
            frame: frame or frames.
            class_name: name or names of classes.
            min_confidence: leaves out rows with a lower confidence, and those with none.
            columns: names of the columns to give, in this order; all by default.
            version: the last one by default.

        Raises:
            ProjectError: no such set, version or column, or a version that `vacuum` removed.
        """
        filters = Filters(data_unit=data_unit, frame=frame, class_name=class_name, min_confidence=min_confidence)
        return scan(self._set(set_name).parts(version), filters, columns)

    def history(self, set_name: str = "default") -> pa.Table:
        """Give a set's versions, the last one first: version, time, operation, rows, details.

        Raises:
            ProjectError: no such set.
        """
        rows = [
            {**commit._asdict(), "details": json.dumps(commit.details, ensure_ascii=False)}
            for commit in self._set(set_name).commits()
        ]
        return pa.Table.from_pylist(rows, HISTORY_SCHEMA)

    def restore(self, version: int, set_name: str = "default") -> int:
        """Make an earlier version's rows the set's rows again; nothing is copied and history is kept.

        Returns:
            The new version; the given one where it is the last.

        Raises:
            ProjectError: no such set or version, or a version that `vacuum` removed.
            CommitConflictError: others committed to the set first, again and again.
        """
        return self._set(set_name).restore(version)

    def vacuum(
        self,
        set_name: str = "default",
        *,
        keep_versions: int | None = None,
        keep_hours: float | None = None,
        orphan_hours: float = 24.0,
        dry_run: bool = False,
    ) -> list[str]:
        """Remove data files that only old versions need, and what killed imports left; give their names.

        The last version is always kept. Versions that are not can no longer be read or restored; they stay
        in the history.

        Args:
            set_name: name of the set.
            keep_versions: keep that many of the last versions.
            keep_hours: keep every version that was the last one within that time; a week if neither this
                nor `keep_versions` is given. With both, a version is kept for either reason.
            orphan_hours: a run that did not commit and wrote nothing for so long is taken for dead.
            dry_run: only give the names.

        Raises:
            ProjectError: no such set, or its files cannot be removed.
        """
        target = self._set(set_name, must_exist=False)
        if not target.folder.is_dir():
            self._set(set_name)
        return target.vacuum(
            keep_versions=keep_versions, keep_hours=keep_hours, orphan_hours=orphan_hours, dry_run=dry_run
        )

    def report(self, set_name: str, version: int) -> pa.Table:
        """Give what the import of a version refused: source, row, pointer, code, message.

        The import's counts are in the schema's metadata, as JSON under `predarrow.report`.

        Raises:
            ProjectError: no report was kept with that version.
        """
        import pyarrow.parquet as pq

        self._set(set_name)
        path = self._report_path(set_name, version)
        if not path.exists():
            raise ProjectError(f"{path}: no report was kept with version {version} of {set_name!r}")
        return pq.read_table(path)

    def _write_report(self, report: Report, set_name: str, version: int) -> None:
        import pyarrow.parquet as pq

        table = report.table().replace_schema_metadata({"predarrow.report": json.dumps(report.counts())})
        path = self._report_path(set_name, version)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, temporary)
            temporary.replace(path)
        except OSError as error:
            raise ProjectError(
                f"{path}: cannot be written ({error.strerror or error}); the import itself is in place"
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink()

    def _report_path(self, set_name: str, version: int) -> Path:
        return self.path / "reports" / set_name / f"{version}.parquet"

    def _set(self, name: str, *, must_exist: bool = True) -> PredictionSet:
        if not isinstance(name, str) or not _SET_NAME.fullmatch(name):
            raise ProjectError(
                "set name: must be up to 100 letters, digits, '.', '_' or '-', the first a letter or digit, "
                f"got {name!r}"
            )
        found = self._sets.setdefault(name, PredictionSet(self.path / "predictions" / name))
        if must_exist and not found.exists():
            sets = self.sets()
            have = f"{', '.join(sets)}; choose one by set_name= (--set)" if sets else "none yet"
            raise ProjectError(f"{self.path}: no prediction set {name!r}; there are: {have}")
        return found

    def __repr__(self) -> str:
        """Name the project and its folder."""
        return f"<Project {self.name!r} at {self.path}>"


def opened(project: Project | str | os.PathLike[str]) -> Project:
    """Give a project, opened where its folder is given.

    Raises:
        ProjectError: neither, or the folder is no project.
    """
    if isinstance(project, Project):
        return project
    if not isinstance(project, str | os.PathLike):
        raise ProjectError(f"project: must be a Project or its folder, got {type(project).__name__}")
    return Project(os.fspath(project))


def _read_header(path: Path) -> dict[str, Any]:
    file = path / "project.json"
    try:
        header = json.loads(file.read_text("utf-8"))
        version, name = header["format_version"], header["name"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProjectError(f"{path}: is no project: project.json is missing; make one with `predarrow init`") from error
    except OSError as error:
        raise ProjectError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectError(f"{file}: must be JSON with format_version and name: {error}") from error
    if not isinstance(version, int) or not isinstance(name, str):
        raise ProjectError(f"{file}: format_version must be a number and name a text, got {version!r} and {name!r}")
    if version > FORMAT_VERSION:
        raise ProjectError(
            f"{file}: format version must be at most {FORMAT_VERSION}, got {version}; "
            "upgrade with `pip install --upgrade predarrow`"
        )
    return dict(header)


def _check_contents(ontology: object, data_units: object, name: object) -> None:
    from predarrow.data_units import DataUnits
    from predarrow.ontology import Ontology

    if not isinstance(ontology, Ontology):
        hint = "Ontology.read or Ontology.from_classes gives one"
        raise ProjectError(f"ontology: must be an Ontology, got {type(ontology).__name__}; {hint}")
    if not isinstance(data_units, DataUnits):
        hint = "DataUnits.from_table, .read or .scan_folder gives them"
        raise ProjectError(f"data_units: must be DataUnits, got {type(data_units).__name__}; {hint}")
    if name is not None and not isinstance(name, str):
        raise ProjectError(f"name: must be a text, got {name!r}")


def _write_contents(folder: Path, ontology: Ontology, data_units: DataUnits, name: str) -> None:
    import pyarrow.parquet as pq

    header = {"name": name, "format_version": FORMAT_VERSION, "created": datetime.now(UTC).isoformat("T", "seconds")}
    (folder / "predictions").mkdir()
    (folder / "reports").mkdir()
    ontology.write(folder / "ontology.json")
    pq.write_table(data_units.table, folder / "data_units.parquet", compression="zstd", store_schema=False)
    (folder / "project.json").write_text(json.dumps(header, ensure_ascii=False, indent=2) + "\n", "utf-8")
