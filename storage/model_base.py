"""What all table definitions have in common; `storage.models` is where they are imported from."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Table
from sqlmodel import Field, SQLModel

NO_ROWID = {"sqlite_with_rowid": False}


class Row(SQLModel):
    """What all tables share."""

    __table__: ClassVar[Table]


def wide(**more: Any) -> Any:
    """A 64-bit integer column on every database."""
    return Field(sa_type=BigInteger, **more)
