"""The document says what the code does."""

import re
from pathlib import Path

import pytest

from proxy_core.attribution.model import SourceType
from storage.filters.documentation import render_fields
from storage.filters.fields import FIELD_BY_NAME, FIELDS, KIND_WORDS
from storage.filters.parsing import MAX_LENGTH, MAX_TERMS, parse
from storage.filters.tree import Filter, FilterError

TEXT = (Path(__file__).parents[3] / "docs" / "filters.md").read_text(encoding="utf-8")
ERRORS = TEXT.partition("## When a line cannot be read")[2].partition("##")[0]
FIELD_NAMES = "|".join(FIELD_BY_NAME)


def test_the_table_of_fields_is_current():
    assert render_fields() in TEXT


def test_every_kind_of_source_has_a_word():
    assert {value for _, value in KIND_WORDS} == {kind.value for kind in SourceType}


def test_limits_are_current():
    assert f"{MAX_LENGTH} characters and {MAX_TERMS} terms" in TEXT


@pytest.mark.parametrize("line", re.findall(rf"`([^`\n]*\b(?:{FIELD_NAMES}):[^`\n ][^`\n]*)`", TEXT))
def test_every_filter_in_the_document_is_understood(line):
    if not line.endswith(":") and line != "field:=value":
        assert isinstance(parse(line, {"costly": "cost:>0.05"}), Filter), line


@pytest.mark.parametrize("line", re.findall(r"^    (\S.*?) {4,}(.+)$", ERRORS, re.MULTILINE), ids=lambda pair: pair[0])
def test_every_error_in_the_document_is_what_is_said(line):
    typed, said = line
    found = parse(typed)
    assert isinstance(found, FilterError)
    assert str(found) == said


def test_there_are_examples_for_all():
    assert len(FIELDS) == TEXT.count("\n| `")
