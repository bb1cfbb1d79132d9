"""How each part of a running Assay is made, with foreign errors turned into ours; `tui.runtime` owns what comes out.

Order: authority, recording, proxy, JSON API. Every part puts its own end on a stack at once, so a failure further on leaves
nothing behind.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tui.environment import ProxyAddress, environment_before, upstream_of
from tui.errors import AssayError, AuthorityError, ConfigurationError, PortTakenError, ProxyStartError
from tui.failures import explain_listening
from tui.settings import Settings
from tui.trust import authority_directory, extra_bundles, open_own_authority

if TYPE_CHECKING:
    from proxy_core.attribution.prices import PriceBook
    from proxy_core.hook_feed import HookFeed
    from proxy_core.server import ProxySettings, ProxyThread
    from storage.api.remote import RemoteApi
    from storage.api.server import ApiThread
    from storage.api.settings import ApiSettings
    from storage.recorder import Recorder
    from storage.remote_recorder import RemoteRecorder
    from storage.retention import RetentionPolicy
    from tui.runtime import Parts, Runtime

type NoteError = Callable[[str, BaseException], None]


def start_parts(
    settings: Settings,
    environ: Mapping[str, str],
    closing: ExitStack,
    draining: ExitStack,
    note: NoteError,
    *,
    tells_summaries: bool,
) -> "Parts":
    """Start everything but the JSON API.

    Args:
        settings: The settings in force.
        environ: The process's environment.
        closing: Takes the end of what is read from.
        draining: Takes the ends of what captures and stores.
        note: Told what goes wrong while stopping.
        tells_summaries: Notices tell how each analysed exchange reads.

    Raises:
        AssayError: What failed; the ends of the parts before it are on the stacks.
    """
    from storage.notices import Notices
    from tui.recording import Reading, launch_recorder, make_recording, start_recorder
    from tui.runtime import DRAIN_S, Parts

    check_address(settings.listen, settings.port)
    if settings.api:
        check_address(settings.api_listen, settings.api_port, option="--api-port")
    if settings.prices is not None:
        open_prices(settings)
    open_own_authority(settings.data_dir, environ)
    notices = Notices()
    reading = Reading(settings)
    closing.callback(_guarded, note, "database", reading.close)
    feed, recorder = make_recording(settings, notices, reading, tells_summaries=tells_summaries)
    # What the recorder loads in its process, it loads while the proxy is loaded in this one.
    launch_recorder(recorder)
    draining.callback(_stop_recorder, note, recorder)
    proxy = make_proxy(settings, feed, environ)
    address = start_proxy(proxy, settings, environ)
    draining.callback(_guarded, note, "proxy", lambda: proxy.stop(DRAIN_S))
    # Whoever connects already is recorded as well: it waits in the feed.
    start_recorder(recorder)
    return Parts(notices, feed, recorder, proxy, reading, address)


def _stop_recorder(note: NoteError, recorder: "Recorder | RemoteRecorder") -> None:
    for part, problem in recorder.stop():
        note(part, AssayError(problem))


def _guarded(note: NoteError, part: str, stop: Callable[[], object]) -> None:
    """Stop one part; what goes wrong is noted, so that the others are stopped too."""
    try:
        stop()
    except Exception as error:  # noqa: BLE001 - noted and shown; the other parts still have to end
        note(part, error)


def check_address(host: str, port: int, option: str = "--port") -> None:
    """See whether an address can be listened on, before anything starts.

    Raises:
        PortTakenError: It cannot.
    """
    if port == 0:
        return
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        trouble = explain_listening(host, port, str(error), option)
        raise PortTakenError(trouble.text, f"{trouble.remedy} ({trouble.words})") from error


def make_proxy(settings: Settings, feed: "HookFeed", environ: Mapping[str, str]) -> "ProxyThread":
    """Make the proxy's thread."""
    from proxy_core.server import ProxyThread

    return ProxyThread(proxy_settings(settings), feed, environment_before(environ))


def proxy_settings(settings: Settings) -> "ProxySettings":
    """Return the proxy's share of the settings."""
    from proxy_core.exchange import CaptureMode
    from proxy_core.server import ProxySettings

    if settings.reverse is not None and settings.local is not None:
        raise ConfigurationError("reverse and local exclude each other")
    mode = (
        CaptureMode.REVERSE if settings.reverse else CaptureMode.LOCAL if settings.local is not None else CaptureMode.INTERCEPT
    )
    return ProxySettings(
        ca_directory=authority_directory(settings.data_dir),
        host=settings.listen,
        port=settings.port,
        mode=mode,
        reverse_url=settings.reverse,
        local_spec=settings.local or "",
        intercept_hosts=settings.intercept,
        upstream_proxy=settings.upstream_proxy,
        upstream_ca_bundle=settings.upstream_ca,
    )


def start_proxy(proxy: "ProxyThread", settings: Settings, environ: Mapping[str, str]) -> ProxyAddress:
    """Start the proxy and return what clients have to be told.

    Raises:
        ConfigurationError: A setting makes no sense.
        AuthorityError: The certificate authority cannot be used.
        PortTakenError: The address cannot be listened on.
        ProxyStartError: Anything else.
    """
    from proxy_core import errors

    try:
        proxy.start()
        addresses = proxy.wait_listening()
    except errors.ProxySettingsError as error:
        raise ConfigurationError(str(error)) from error
    except errors.AuthorityError as error:
        raise AuthorityError(str(error)) from error
    except errors.ListenError as error:
        raise PortTakenError(str(error)) from error
    except Exception as error:
        raise ProxyStartError(f"the proxy did not start: {error}") from error
    authority = proxy.authority
    assert authority is not None
    extra = extra_bundles(settings.data_dir, environ)
    open_own_authority(settings.data_dir, environ)
    return ProxyAddress(
        url=_url(addresses, settings),
        is_reverse=settings.reverse is not None,
        certificate=authority.certificate_path,
        bundle=authority.bundle_path,
        intercept=settings.intercept,
        upstream_proxy=settings.upstream_proxy or upstream_of(environ),
        extra_ca=extra,
    )


def _url(addresses: tuple[tuple[str, int], ...], settings: Settings) -> str:
    """Return the address that a client on this machine uses."""
    host, port = addresses[0] if addresses else (settings.listen, settings.port)
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def open_prices(settings: Settings) -> "PriceBook":
    """Open the price list, the user's own file on top.

    Raises:
        ConfigurationError: That file cannot be used.
    """
    from proxy_core.attribution.prices import load_price_book
    from proxy_core.attribution.user_prices import PriceFileError

    try:
        return load_price_book(str(settings.prices) if settings.prices else None)
    except PriceFileError as error:
        raise ConfigurationError(str(error)) from error


def retention_policy(settings: Settings) -> "RetentionPolicy":
    """Return the retention's share of the settings."""
    from storage.retention import RetentionPolicy

    return RetentionPolicy(max_age_days=settings.retention_days or None, max_bytes=settings.retention_size)


def start_api(settings: Settings, runtime: "Runtime", stack: ExitStack, note: NoteError) -> "RemoteApi | ApiThread | None":
    """Start the JSON API, unless it is off.

    Raises:
        PortTakenError: Its address cannot be listened on.
        AssayError: Its token cannot be used.
    """
    if not settings.api:
        return None
    from storage.errors import ApiUnavailableError

    shape = api_settings(settings)
    if shape.warning:
        runtime.warnings.append(shape.warning)
    api = _make_api(settings, shape, runtime)
    try:
        api.start()
    except ApiUnavailableError as error:
        raise PortTakenError(str(error)) from error
    stack.callback(_guarded, note, "JSON API", api.stop)
    return api


def _make_api(settings: Settings, shape: "ApiSettings", runtime: "Runtime") -> "RemoteApi | ApiThread":
    """Make whoever serves the API: a process of its own, unless the database lives in this one's memory."""
    if runtime.parts.reading.is_in_memory:
        from storage.api.server import ApiThread

        return ApiThread(runtime.store, shape, runtime)
    from storage.api.remote import RemoteApi
    from tui.recording import open_key

    return RemoteApi(settings.database, shape, runtime, open_key(settings))


def api_settings(settings: Settings) -> "ApiSettings":
    """Return the JSON API's share of the settings; its token is made at the first start.

    Raises:
        ConfigurationError: It would be open to others without a token.
        AssayError: The token cannot be used.
    """
    from storage.api.settings import ApiSettings, UnsafeSettingsError
    from storage.api.token import TOKEN_FILE, TokenUnreadableError, ensure_token

    try:
        token = None if settings.api_no_token else ensure_token(settings.data_dir / TOKEN_FILE)
        return ApiSettings(token=token, host=settings.api_listen, port=settings.api_port, allowed_origins=settings.api_origin)
    except UnsafeSettingsError as error:
        raise ConfigurationError(str(error)) from error
    except TokenUnreadableError as error:
        raise AssayError(str(error)) from error


def announce(runtime: "Runtime", stack: ExitStack) -> None:
    """Let other commands find this process while it runs."""
    from tui.presence import Presence, announced

    presence = Presence(
        pid=os.getpid(),
        proxy_url=runtime.address.url,
        is_reverse=runtime.address.is_reverse,
        is_private=runtime.is_private,
        api_url=runtime.api_url,
        started_us=time.time_ns() // 1000,
    )
    stack.enter_context(announced(runtime.settings.data_dir, presence))
