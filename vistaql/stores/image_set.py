"""Image sets as values: where the images lie, and how they get their keys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from vistaql.stores.tables import ColumnInfo, ColumnType, Table


class KeyKind(Enum):
    """Where the key of an image comes from."""

    STEM = "STEM"
    """the file name without its ending"""
    PATH = "PATH"
    """the path below the folder of the set"""
    REGEX = "REGEX"
    """what a pattern finds in that path: its first group, or all of it"""
    COLUMN = "COLUMN"
    """a column of the manifest, of the Parquet file, or of the table that names the files"""


@dataclass(frozen=True)
class KeyRule:
    """KEY FROM kind; `argument` is the pattern or the column."""

    kind: KeyKind = KeyKind.STEM
    argument: str | None = None

    def __str__(self) -> str:
        return self.kind.value if self.argument is None else f"{self.kind.value} {self.argument}"


class OnError(Enum):
    """What an image that cannot be decoded does to a statement."""

    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True)
class FolderSource:
    """A folder with all its subfolders."""

    folder: str


@dataclass(frozen=True)
class GlobSource:
    """The files that match a pattern."""

    pattern: str


@dataclass(frozen=True)
class TableColumnSource:
    """A column of file names; relative ones start at `folder`.

    `confined`: names that lead out of the folder are refused. `manifest`: the table is a file of its own
    (a list of images), not one of the catalog.
    """

    table: Table
    column: str
    folder: str
    confined: bool = False
    manifest: bool = False


@dataclass(frozen=True)
class ParquetBytesSource:
    """Encoded images in a column of Parquet files: bytes, or a structure of bytes and path."""

    table: Table
    column: str
    path_column: str | None
    """the column of file names, if there is one; `column.path` inside a structure"""
    nested: bool = False
    """whether `column` is a structure of bytes and path"""


Source = FolderSource | GlobSource | TableColumnSource | ParquetBytesSource


@dataclass(frozen=True)
class Statistics:
    """What was found when the set was described; `mean_pixels` is that of a sample of headers."""

    count: int = 0
    bytes: int = 0
    mean_pixels: float = 0.0
    formats: tuple[tuple[str, int], ...] = ()
    """endings and how many images have them, commonest first"""
    reasons: tuple[tuple[str, int], ...] = ()
    """why files were skipped, and how many"""
    missing: int = 0
    """files that a table names and that do not exist; they count as images, bad ones"""
    unique_keys: bool = True

    @property
    def skipped(self) -> int:
        """Files that are not images of the set."""
        return sum(count for _, count in self.reasons)

    @property
    def mean_bytes(self) -> float:
        """Encoded bytes an image."""
        return self.bytes / self.count if self.count else 0.0


@dataclass(frozen=True)
class ImageSet:
    """Images by their name. `max_bad` is the fraction of images that may be bad before a statement fails."""

    name: str
    source: Source
    key: KeyRule = KeyRule()
    label_from_folder: bool = False
    on_error: OnError = OnError.SKIP
    max_bad: float = 0.01
    statistics: Statistics = Statistics()

    def __str__(self) -> str:
        return self.name

    @property
    def columns(self) -> tuple[ColumnInfo, ...]:
        """The columns of every image set; `label` where it comes from the folder."""
        return IMAGE_COLUMNS + ((LABEL_COLUMN,) if self.label_from_folder else ())

    @property
    def label(self) -> str | None:
        """The column that is the declared label, if there is one."""
        return LABEL_COLUMN.name if self.label_from_folder else None

    @property
    def place(self) -> str:
        """Where the images lie, in one path."""
        match self.source:
            case FolderSource(folder):
                return folder
            case GlobSource(pattern):
                return pattern
            case TableColumnSource(table) | ParquetBytesSource(table):
                return table.source


IMAGE_COLUMNS = (
    ColumnInfo("key", ColumnType.TEXT, "VARCHAR"),
    ColumnInfo("path", ColumnType.TEXT, "VARCHAR"),
    ColumnInfo("folder", ColumnType.TEXT, "VARCHAR"),
    ColumnInfo("bytes", ColumnType.INTEGER, "BIGINT"),
    ColumnInfo("width", ColumnType.INTEGER, "INTEGER"),
    ColumnInfo("height", ColumnType.INTEGER, "INTEGER"),
)
LABEL_COLUMN = ColumnInfo("label", ColumnType.TEXT, "VARCHAR")
