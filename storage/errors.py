"""What can go wrong in storage, as few kinds as callers tell apart. Messages are for people and name the remedy."""


class StorageError(Exception):
    """Anything that the storage reports."""


class DatabaseUnusableError(StorageError):
    """The database cannot be opened: broken, not ours, no permission, unknown URL."""


class DatabaseTooNewError(DatabaseUnusableError):
    """A newer Assay has changed the database; this one would damage it."""


class MigrationError(DatabaseUnusableError):
    """A step to a newer schema failed; it was rolled back."""


class NoSuchExchangeError(StorageError):
    """No exchange has this id."""


class AmbiguousIdError(StorageError):
    """More than one exchange begins with this id."""


class BodyCorruptError(StorageError):
    """A stored body cannot be rebuilt byte for byte."""


class ApiUnavailableError(StorageError):
    """The API cannot be served; the message says why and what to do."""
