"""Everything captured, written for other programs: JSON by a documented schema, JSONL, HAR, CSV, OpenTelemetry spans."""
