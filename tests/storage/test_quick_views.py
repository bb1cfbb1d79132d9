"""Views that are made quickly are those that are made as usual."""

import copy
from dataclasses import FrozenInstanceError, fields

import pytest

from proxy_core.attribution.model import SourceType
from storage.quick_views import maker
from storage.views import SourceUse

VALUES = ("01", SourceType.FILE, "a.py", 7, None)


def test_it_is_the_same_view():
    made = maker(SourceUse)(VALUES)
    assert made == SourceUse(**dict(zip((field.name for field in fields(SourceUse)), VALUES, strict=True)))
    assert type(made) is SourceUse
    assert copy.copy(made) == made
    with pytest.raises(FrozenInstanceError):
        made.tokens = 8


@pytest.mark.parametrize("values", [VALUES[:-1], (*VALUES, None)])
def test_each_field_needs_its_value(values):
    with pytest.raises(TypeError, match="argument"):
        maker(SourceUse)(values)
