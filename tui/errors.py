"""What stops Assay, with the exit code and the one thing to do about it.

Exit codes are part of the interface (`docs/commands.md`): scripts and service files rely on them.
"""


class AssayError(Exception):
    """Something a person has to know about; shown as one line, never as a traceback."""

    exit_code = 1

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy
        """What to do about it, as a sentence; `None` when the message says it."""

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}. {self.remedy}" if self.remedy else message


class ConfigurationError(AssayError):
    """A setting has a value that cannot be used; the message says where and what fits."""

    exit_code = 2


class PortTakenError(AssayError):
    """An address cannot be listened on."""

    exit_code = 3


class AuthorityError(AssayError):
    """The certificate authority cannot be read, made or kept."""

    exit_code = 4


class DatabaseUnusableError(AssayError):
    """The database cannot be opened, or is not one."""

    exit_code = 5


class ProxyStartError(AssayError):
    """The proxy did not start for another reason."""

    exit_code = 6


class NotFoundError(AssayError):
    """What was asked for is not in the database."""

    exit_code = 7
