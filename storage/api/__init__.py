"""The JSON API: read and feedback routes over the store, on a thread of its own. FastAPI stays inside this package."""
