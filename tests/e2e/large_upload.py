"""A client process that uploads 50 MB in pieces and prints the SHA-256 of what it sent."""

import hashlib
import ssl
import sys
from collections.abc import Iterator

import httpx

_PIECE = bytes(range(250)) * 4000


def main(proxy: str, ca_path: str, url: str) -> None:
    """Upload through a proxy."""
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for _ in range(50):
            digest.update(_PIECE)
            yield _PIECE

    context = ssl.create_default_context(cafile=ca_path)
    with httpx.Client(proxy=proxy, verify=context, trust_env=False, timeout=90) as client:
        client.post(url, content=pieces(), headers={"x-api-key": "k", "content-length": str(50 * len(_PIECE))})
    print(digest.hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:])
