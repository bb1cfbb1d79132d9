"""Everything a person types or sees: the command line and the dashboard."""
