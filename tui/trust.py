"""Where our certificate authority is kept, and the files that clients are pointed to.

The bundle also holds what the system and the user's own variables trust, so that replacing a client's store takes nothing away.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui.environment import ADDING_VARIABLES, EXTRA_CA_VARIABLE, REPLACING_VARIABLES
from tui.errors import AuthorityError

if TYPE_CHECKING:
    from proxy_core.certificates import Authority


def authority_directory(data_dir: Path) -> Path:
    """Return the private directory of the certificate authority."""
    return data_dir / "ca"


def open_own_authority(data_dir: Path, environ: Mapping[str, str] = os.environ) -> "Authority":
    """Open the certificate authority, making it at the first start.

    Raises:
        AuthorityError: It cannot be read, made or kept.
    """
    from proxy_core import errors
    from proxy_core.certificates import open_authority

    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AuthorityError(
            f"cannot make the data directory {data_dir}: {error.strerror}", "Choose another --data-dir"
        ) from error
    try:
        return open_authority(authority_directory(data_dir), (*_system_bundle(), *extra_bundles(data_dir, environ)))
    except errors.AuthorityError as error:
        raise AuthorityError(str(error)) from error
    except OSError as error:
        raise AuthorityError(f"cannot keep the certificate authority: {error}", "Choose another --data-dir") from error


def extra_bundles(data_dir: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the PEM files that this environment trusts besides the system's, our own left out."""
    own = authority_directory(data_dir).absolute()
    named = [environ.get(name, "") for name in (*ADDING_VARIABLES, *REPLACING_VARIABLES)]
    named += environ.get(EXTRA_CA_VARIABLE, "").split(os.pathsep)
    found = dict.fromkeys(Path(name).absolute() for name in named if name)
    system = set(_system_bundle())
    return tuple(path for path in found if own not in path.parents and path not in system and path.is_file())


def _system_bundle() -> Iterator[Path]:
    paths = ssl.get_default_verify_paths()
    if paths.openssl_cafile and Path(paths.openssl_cafile).is_file():
        yield Path(paths.openssl_cafile)
        return
    # An OpenSSL that came with Python may look elsewhere than the system does.
    for place in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"):
        if Path(place).is_file():
            yield Path(place)
            return
