"""The columns of our tables by short names, for those who put queries together."""

from storage import models

exchange = models.ExchangeRow.__table__.c
facet = models.FacetRow.__table__.c
feedback = models.FeedbackRow.__table__.c
source = models.SourceRow.__table__.c
use = models.ExchangeSourceRow.__table__.c
"""How much of a source is in an exchange."""
session = models.SessionRow.__table__.c
member = models.SessionMemberRow.__table__.c
"""What occurs in a session."""
hour = models.SourceRollupRow.__table__.c
"""Sources by the hour and session."""
day = models.SourceDayRow.__table__.c
month = models.SourceMonthRow.__table__.c
ever = models.SourceTotalRow.__table__.c
"""Sources in all."""
kind = models.KindRollupRow.__table__.c
"""Kinds of sources by minute, hour and day."""
total = models.ExchangeRollupRow.__table__.c
"""Exchanges by the hour, model and class."""
rating = models.SourceRatingRollupRow.__table__.c
"""Ratings by day and source."""
