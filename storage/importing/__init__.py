"""Recordings of other programs, and our own exports, taken in: redacted like live traffic, each exchange once."""
