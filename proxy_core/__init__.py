"""The wire, and what it means: capture, attribution and the ledger. Imports neither storage nor tui."""
