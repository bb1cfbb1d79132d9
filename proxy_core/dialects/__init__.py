"""The wire dialects: one file per API shape, each turning a recorded exchange into a `ParsedCall`."""
