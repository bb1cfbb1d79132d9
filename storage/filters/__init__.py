"""The filter language: a line of text -> a tree -> a where clause; for the dashboard, the API's `q` and `assay export`."""
