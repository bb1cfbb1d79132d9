"""Zones: at which rate each stretch of a prompt is billed.

By position alone: read, then written for an hour, then for five minutes, then fresh.
A stretch that lies across a border is cut in two.
"""

from collections.abc import Iterator, Sequence

from proxy_core.attribution.model import Usage, Zone


def zone_widths(usage: Usage) -> list[tuple[Zone, int]]:
    """Return the zones of a bill in the order they lie in the prompt, with their widths in tokens."""
    return [
        (Zone.CACHE_READ, usage.cache_read_tokens or 0),
        (Zone.CACHE_WRITE_1H, usage.cache_write_1h_tokens or 0),
        (Zone.CACHE_WRITE_5M, usage.cache_write_5m_tokens or 0),
        (Zone.FRESH, usage.input_tokens or 0),
    ]


def split_by_zone(tokens: Sequence[int], widths: Sequence[tuple[Zone, int]]) -> Iterator[tuple[int, Zone, int]]:
    """Cut consecutive stretches at the borders of the zones.

    Args:
        tokens: Size of each stretch, in order.
        widths: The zones in order; their sum is the sum of `tokens`.

    Yields:
        (index of the stretch, zone, tokens in it); a stretch of 0 tokens once, in the zone it lies in.
    """
    zones = iter(widths)
    zone, room = next(zones)
    for index, size in enumerate(tokens):
        left = size
        while left > room:
            if room:
                yield index, zone, room
                left -= room
            zone, room = next(zones)
        yield index, zone, left
        room -= left
