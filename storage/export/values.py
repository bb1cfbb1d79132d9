"""How values are written in exports: times, money, bytes, JSON that any reader takes."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(moment_us: int | None) -> str | None:
    """Write microseconds since the epoch as ISO 8601 in UTC."""
    if moment_us is None:
        return None
    return (_EPOCH + timedelta(microseconds=moment_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def usd(nano_usd: int | None) -> float | None:
    """Write 1e-9 dollars as dollars."""
    return None if nano_usd is None else nano_usd / 1e9


def body_texts(content: bytes | None) -> dict[str, str | None]:
    """Write bytes as text where they are UTF-8, else as base64; both `None` where there are none."""
    if content is None:
        return {"text": None, "base64": None}
    try:
        return {"text": content.decode(), "base64": None}
    except UnicodeDecodeError:
        return {"text": None, "base64": base64.b64encode(content).decode("ascii")}


def dump_json(value: Any) -> str:
    """Write JSON on one line; where a text holds half characters everything beyond ASCII is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text
