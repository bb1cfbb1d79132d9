"""The errors that leave `proxy_core`. Their text is written for the person who typed the command."""


class ProxyCoreError(Exception):
    """Base of all errors of this package."""


class ProxySettingsError(ProxyCoreError):
    """A setting of the proxy makes no sense; nothing was started."""


class ListenError(ProxyCoreError):
    """The proxy could not listen where it was asked to."""


class AuthorityError(ProxyCoreError):
    """The root CA (or the key beside it) cannot be read, made or written."""


class ProxyStoppedError(ProxyCoreError):
    """The proxy's thread ended when it should not have."""
