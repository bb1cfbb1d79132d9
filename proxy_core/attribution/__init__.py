"""Which source put which bytes into a request, how many tokens each is, and what each cost."""
