"""A self-contained page about captured traffic that a person would share: HTML, Markdown or JSON."""
