"""Body-free mode: an exchange is analysed once and then loses its text; sizes, hashes, sources, tokens and costs stay.

Bodies are on disk for as long as the analysis needs (so that a killed process loses nothing), and are overwritten afterwards.
What has no text any more cannot be analysed again.
"""

from dataclasses import replace

from proxy_core.attribution.model import Attribution
from storage import sqlite
from storage.analysing import Analyst
from storage.database import Database
from storage.deleting import drop_bodies
from storage.sweeping import sweep
from storage.texts import Texts

SWEEP_EVERY = 100
"""Exchanges whose pieces are deleted together."""


class BodyFreeAnalyst(Analyst):
    """Analyses stored exchanges and drops what they said."""

    _unswept = 0

    def analyse(self, row_id: int, *, has_ended: bool) -> bool:
        """Analyse one exchange; once it has ended its bodies are dropped, also where they could not be analysed.

        Raises:
            OperationalError: The database refused; trying again later makes sense.
        """
        is_saved = super().analyse(row_id, has_ended=has_ended)
        if has_ended and is_saved:
            with self._database.write() as connection:
                sqlite.overwrite_deleted(connection)
                drop_bodies(connection, row_id)
            self._unswept += 1
            if self._unswept >= SWEEP_EVERY:
                self._sweep()
        return is_saved

    def close(self) -> None:
        """End the counting, and delete the last pieces."""
        super().close()
        if self._unswept:
            self._sweep()

    def _sweep(self) -> None:
        self._unswept = 0
        sweep(self._database)

    def _read(self, row_id: int, *, has_ended: bool) -> tuple[Attribution, Texts | None]:
        attribution, found_by = super()._read(row_id, has_ended=has_ended)
        return without_text(attribution), None if found_by is None else Texts("", "", "")


def without_text(attribution: Attribution) -> Attribution:
    """Return an attribution that says where everything came from and how much it was, but not what it said."""
    segments = tuple(replace(segment, text="") for segment in attribution.segments)
    return replace(attribution, segments=segments, facts=replace(attribution.facts, title=None))


def open_body_free_analyst(database: Database, price_file: str | None) -> BodyFreeAnalyst:
    """Make one with the built-in analysis, prices and counting."""
    analyst = BodyFreeAnalyst.over(database, price_file)
    assert isinstance(analyst, BodyFreeAnalyst)
    return analyst
