# SPDX-License-Identifier: Apache-2.0
"""pilake: history and live data of an AVEVA PI System, read through PI Web API, exactly.

`Source` reads events as Arrow streams; `Table` keeps a Delta table equal to the archive;
`pilake.spark` is a Spark data source. ``pilake demo`` on the command line needs no PI System.
"""

from . import _pilake, errors
from .errors import (
    ChangedError,
    InvalidError,
    MissingError,
    PilakeError,
    SignOnError,
    UnreachableError,
)
from .source import Partition, Point, Rows, Source, State
from .table import Table

_pilake.set_error_classes(errors.BY_KIND)

__version__: str = _pilake.__version__

__all__ = [
    "ChangedError",
    "InvalidError",
    "MissingError",
    "Partition",
    "PilakeError",
    "Point",
    "Rows",
    "SignOnError",
    "Source",
    "State",
    "Table",
    "UnreachableError",
]
