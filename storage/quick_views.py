"""Frozen views made quickly, thousands at a time: a frozen dataclass made as usual takes twice as long as reading its row.

It checks nothing: whoever uses it has the values of all fields, in the order of the fields.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any


def maker[View](kind: type[View]) -> Callable[[Iterable[Any]], View]:
    """Return what makes a view of a dataclass with slots from the values of its fields."""
    new = object.__new__
    setters = tuple(getattr(kind, field.name).__set__ for field in fields(kind))  # type: ignore[arg-type] # a dataclass

    def make(values: Iterable[Any]) -> View:
        view = new(kind)
        for put, value in zip(setters, values, strict=True):
            put(view, value)
        return view

    return make
