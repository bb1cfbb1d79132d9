"""What schemathesis cannot guess: lines of the filter language, ids that exist, and how to end an event stream."""

import os
import re

import schemathesis
from hypothesis import strategies as st

from storage.filters.fields import FIELDS

schemathesis.openapi.format("assay-filter", st.sampled_from([field.example for field in FIELDS] + ["", "build", "a or -b"]))

_ENDLESS = ("1", "on", "t", "true", "y", "yes")
_KNOWN_IDS = os.environ.get("ASSAY_TEST_IDS", "").split(",")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Let event streams end, and ask for what exists every other time."""
    is_stream = case.path.endswith("/events") and isinstance(case.query, dict)
    if is_stream and str(case.query.get("follow", True)).lower() in _ENDLESS:
        case.query["follow"] = "false"
    if case.path.endswith("/what-if") and isinstance(case.query, dict):
        _name_one(case.query)
    for parameters in (case.path_parameters, case.query, case.body):
        if not isinstance(parameters, dict):
            continue
        for name in ("request_id", "response_id"):
            value = parameters.get(name)
            if isinstance(value, str) and re.fullmatch("[0-9a-f]{31}[02468ace]", value):
                parameters[name] = _KNOWN_IDS[int(value[0], 16) % len(_KNOWN_IDS)]


def _name_one(query):
    """No schema can say that exactly one of two parameters is wanted, nor which kinds of source there are."""
    for name in ("without", "defer"):
        if isinstance(query.get(name), list) and all(isinstance(item, str) and item for item in query[name]):
            query[name] = ["mcp:context7"]
    if isinstance(query.get("without"), list) and isinstance(query.get("defer"), list):
        del query["defer"]
    if not query.get("without") and not query.get("defer"):
        query["without"] = ["mcp:context7"]
