from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.model import Usage, Zone
from proxy_core.attribution.zones import split_by_zone, zone_widths


def test_zones_lie_in_the_order_of_the_prompt() -> None:
    usage = Usage(input_tokens=1, cache_read_tokens=2, cache_write_5m_tokens=3, cache_write_1h_tokens=4)

    assert zone_widths(usage) == [
        (Zone.CACHE_READ, 2),
        (Zone.CACHE_WRITE_1H, 4),
        (Zone.CACHE_WRITE_5M, 3),
        (Zone.FRESH, 1),
    ]
    assert sum(width for _, width in zone_widths(Usage())) == 0


def test_a_stretch_across_borders_is_cut() -> None:
    widths = [(Zone.CACHE_READ, 5), (Zone.CACHE_WRITE_1H, 0), (Zone.CACHE_WRITE_5M, 2), (Zone.FRESH, 4)]

    assert list(split_by_zone([4, 6, 0, 1], widths)) == [
        (0, Zone.CACHE_READ, 4),
        (1, Zone.CACHE_READ, 1),
        (1, Zone.CACHE_WRITE_5M, 2),
        (1, Zone.FRESH, 3),
        (2, Zone.FRESH, 0),
        (3, Zone.FRESH, 1),
    ]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.data())
def test_every_token_lies_in_one_zone(sizes: list[int], data: st.DataObject) -> None:
    total = sum(sizes)
    borders = sorted(data.draw(st.lists(st.integers(0, total), min_size=3, max_size=3)))
    edges = [0, *borders, total]
    order = (Zone.CACHE_READ, Zone.CACHE_WRITE_1H, Zone.CACHE_WRITE_5M, Zone.FRESH)
    widths = [(zone, right - left) for zone, left, right in zip(order, edges, edges[1:], strict=False)]

    cuts = list(split_by_zone(sizes, widths))

    for index, size in enumerate(sizes):
        assert sum(tokens for number, _, tokens in cuts if number == index) == size
    for zone, width in widths:
        assert sum(tokens for _, place, tokens in cuts if place is zone) == width
