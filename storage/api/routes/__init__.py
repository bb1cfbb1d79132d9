"""One file of routes per noun of the contract; each asks the store and presents what it gives."""
