"""What the ledger means for its reader: waste, broken caches, carry cost, drift, worth, and what to do about each."""
