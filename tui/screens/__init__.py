"""One module and one style sheet a screen; a screen reads from the store in workers and hands views down to its widgets."""
