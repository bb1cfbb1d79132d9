"""Token counting: what a text costs in a model's tokens, counted in a process of its own."""
