"""The table of fields in `docs/filters.md`, made from the fields themselves: a test holds the document against it."""

from storage.filters.fields import FIELDS, Field, Kind


def render_fields() -> str:
    """Return the table as Markdown."""
    lines = ["| field | value | meaning | for example |", "|---|---|---|---|"]
    lines += [f"| {_names(field)} | {_value(field)} | {field.meaning} | `{field.example}` |" for field in FIELDS]
    return "\n".join(lines)


def _names(field: Field) -> str:
    return ", ".join(f"`{name}:`" for name in (field.name, *field.aliases))


def _value(field: Field) -> str:
    value = field.kind.value if field.kind is not Kind.CHOICE else " ".join(f"`{word}`" for word, _ in field.choices)
    return value if field.is_always_known else f"{value}, `none`"
