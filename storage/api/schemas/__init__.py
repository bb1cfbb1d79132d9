"""What the API says: the field names of the contract, and how a view becomes one. The text under a field documents it."""
