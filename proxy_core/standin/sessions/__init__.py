"""Scripted client sessions for the demonstration: what a coding agent would send, in texts written for it."""
