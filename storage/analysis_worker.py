"""The analysing process: reads exchange numbers from standard input, analyses them in the database, says how it went.

It exists because reading and settling a request is pure Python and would hold the interpreter lock that the proxy needs. It has
its own connections to the database and ends with its input. One line of JSON each way, the first one says where:

    {"url": "sqlite:///assay.db", "price_file": null, "has_bodies": true}
    {"id": 7, "has_ended": true}  ->  {"is_saved": true, "error": null, "refusal": null}
"""

import contextlib
import json
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from sqlalchemy.exc import OperationalError

from proxy_core.child_process import outlive_signals
from proxy_core.priority import give_way
from storage.analysing import Analyst
from storage.body_free import open_body_free_analyst
from storage.database import open_database
from storage.errors import StorageError

type Reply = Mapping[str, Any]


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Analyse until the input ends."""
    told = json.loads(source.readline())
    try:
        database = open_database(told["url"])
    except StorageError as error:  # locked, perhaps: not the fault of the exchange that is asked for
        if source.readline():
            _say(sink, {"is_saved": False, "error": None, "refusal": str(error)})
        return
    open_analyst = Analyst.over if told["has_bodies"] else open_body_free_analyst
    analyst = open_analyst(database, told["price_file"])
    try:
        for line in source:
            job = json.loads(line)
            _say(sink, _analyse(analyst, job["id"], has_ended=job["has_ended"]))
    finally:
        analyst.close()
        database.close()


def _say(sink: BinaryIO, reply: Reply) -> None:
    sink.write(json.dumps(reply).encode() + b"\n")
    sink.flush()


def _analyse(analyst: Analyst, row_id: int, *, has_ended: bool) -> Reply:
    try:
        is_saved = analyst.analyse(row_id, has_ended=has_ended)
    except OperationalError as error:
        return {"is_saved": False, "error": None, "refusal": str(error.orig)}
    failure = analyst.error
    return {"is_saved": is_saved, "error": f"{type(failure).__name__}: {failure}" if failure else None, "refusal": None}


if __name__ == "__main__":
    outlive_signals()
    give_way()
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)
