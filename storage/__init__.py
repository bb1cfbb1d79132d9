"""The only door to the database: schema, writing, reading, export and the JSON API."""
