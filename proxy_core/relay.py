"""Live exchanges carried to another process: what changed of them as messages, and a feed that is filled from these.

What was sent is kept until it is told to be stored, so that it can be sent again to a process that takes the place of one that
died.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import msgspec

from proxy_core.hook_feed import HookFeed
from proxy_core.live import LiveBody, LiveExchange
from proxy_core.recording import HELD_BODY_BYTES
from proxy_core.relay_messages import Message, State, apply_state, decode, encode, live_of, opening_of, state_of

PART_BYTES = 256 * 1024
"""A message brings no more bytes of bodies than about so many: encoding one holds the interpreter lock."""
MAX_DEATHS = 2
"""Whoever got an exchange alone and died so often was killed by it."""


@dataclass(slots=True, eq=False)
class _Sent:
    """An exchange that was sent, at least in part."""

    live: LiveExchange
    request: list[bytes] = field(default_factory=list)
    """What was sent of the request's body; empty once the exchange is large."""
    response: list[bytes] = field(default_factory=list)
    kept_bytes: int = 0
    """Held here, and counted against the feed's limit."""
    progress: tuple[object, ...] = ()
    """How far it had come when it was sent last."""
    deaths: int = 0
    """Of receivers that had nothing else."""
    is_opened: bool = False
    is_large: bool = False
    """Too large to be kept: it cannot be sent again."""
    is_lost: bool = False
    """It was large when its receiver died: nothing more is sent."""
    is_over: bool = False


class Relay:
    """Turns what changes in a feed into messages. For one thread, the feed's consumer.

    Args:
        feed: Where the hooks put.
        held_body_bytes: Of larger exchanges nothing is kept.
    """

    def __init__(self, feed: HookFeed, held_body_bytes: int = HELD_BODY_BYTES) -> None:
        self.lost = 0
        """Exchanges that could not be sent again, or were too often."""
        self._feed = feed
        self._held_body_bytes = held_body_bytes
        self._sent: dict[str, _Sent] = {}
        self._pending: deque[_Sent] = deque()
        """Changed, and not wholly sent yet."""

    @property
    def waiting(self) -> int:
        """Exchanges that are not known to be stored; those that run included."""
        return len(self._sent)

    def news(self, timeout_s: float) -> Iterator[bytes]:
        """Give the messages about what is new, waiting for it at most `timeout_s`. Ask for the next once one is sent."""
        for live in self._feed.changed(timeout_s):
            sent = self._sent.get(live.exchange_id)
            if sent is None:
                sent = self._sent[live.exchange_id] = _Sent(live)
            sent.is_over = live.is_taken
            self._pending.append(sent)
        while self._pending:
            sent = self._pending[0]
            if sent.live.exchange_id in self._sent:
                yield from self._guarded(sent, self._messages(sent))
            self._pending.popleft()

    def unsettled(self) -> list[str]:
        """Return the ids of exchanges that are not known to be stored, in the order in which they came."""
        return list(self._sent)

    def repeatable(self) -> list[str]:
        """Return the ids of those among them that can be sent again."""
        return [exchange_id for exchange_id, sent in self._sent.items() if not (sent.is_large or sent.is_lost)]

    def is_unsettled(self, exchange_id: str) -> bool:
        """Tell whether an exchange is over and not known to be stored."""
        sent = self._sent.get(exchange_id)
        return sent is not None and sent.is_over

    def repeat(self, exchange_ids: Sequence[str]) -> Iterator[bytes]:
        """Give everything again about some exchanges: to a new receiver, which must get all that are not settled."""
        told = set(exchange_ids)
        self._pending = deque(sent for sent in self._pending if sent.live.exchange_id not in told)
        for exchange_id in exchange_ids:
            sent = self._sent.get(exchange_id)
            if sent is None:
                continue
            state = state_of(sent.live)
            self._keep(sent, _all(sent.live.request_body), _all(sent.live.response_body))
            if sent.is_large:
                self._lose(sent)
                continue
            sent.is_opened = False
            yield from self._guarded(sent, self._parts(sent, state))

    def blame(self, exchange_id: str) -> None:
        """Note that a receiver died while it had nothing but this exchange; too often, and it is given up."""
        sent = self._sent.get(exchange_id)
        if sent is None:
            return
        sent.deaths += 1
        if sent.deaths >= MAX_DEATHS:
            self._lose(sent)

    def settle(self, exchange_ids: Iterable[str]) -> int:
        """Let go of exchanges that are stored, or were given up where they were sent to; returns how many were not yet."""
        count = 0
        for exchange_id in exchange_ids:
            sent = self._sent.pop(exchange_id, None)
            if sent is not None:
                self._let_go(sent)
                self._feed.note_taken()
                count += 1
        return count

    def _guarded(self, sent: _Sent, messages: Iterator[bytes]) -> Iterator[bytes]:
        """Give the messages about one exchange; one that cannot be written down is lost, the others are not."""
        try:
            yield from messages
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
            self._feed.count_error(f"relaying {sent.live.exchange_id}", error)
            self._lose(sent)

    def _messages(self, sent: _Sent) -> Iterator[bytes]:
        if sent.is_lost:
            self._lose(sent)
            return
        progress = _progress(sent.live)
        if progress == sent.progress and not sent.is_over:
            return
        sent.progress = progress
        # The state first: what it says of the bodies must not be ahead of their bytes.
        state = state_of(sent.live)
        has_more = True
        while has_more:
            request, response = _some(sent.live.request_body), _some(sent.live.response_body)
            has_more = bool(sent.live.request_body.chunks or sent.live.response_body.chunks)
            self._keep(sent, request, response)
            yield self._message(sent, state, request, response, is_last=not has_more)

    def _parts(self, sent: _Sent, state: State) -> Iterator[bytes]:
        """Give the messages about one exchange from its beginning, out of what was kept."""
        bodies = _portions(sent.request), _portions(sent.response)
        parts: list[tuple[list[bytes], list[bytes]]] = list(zip_longest(*bodies, fillvalue=[])) or [([], [])]
        for number, (request, response) in enumerate(parts, 1):
            yield self._message(sent, state, request, response, is_last=number == len(parts))

    def _message(self, sent: _Sent, state: State, request: list[bytes], response: list[bytes], *, is_last: bool) -> bytes:
        live = sent.live
        opening = None if sent.is_opened else opening_of(live)
        sent.is_opened = True
        message = Message(
            live.exchange_id,
            opening,
            state,
            request,
            response,
            not is_last,
            live.request_body.is_cut and is_last,
            live.response_body.is_cut and is_last,
            sent.is_over and is_last,
        )
        return encode(message)

    def _keep(self, sent: _Sent, request: list[bytes], response: list[bytes]) -> None:
        """Keep what is sent, unless that becomes too much."""
        new_bytes = _size(request) + _size(response)
        self._feed.absorb(new_bytes)
        sent.kept_bytes += new_bytes
        if not sent.is_large and sent.kept_bytes <= self._held_body_bytes:
            sent.request += request
            sent.response += response
            return
        sent.is_large = True
        self._let_go(sent)

    def _let_go(self, sent: _Sent) -> None:
        sent.request, sent.response = [], []
        self._feed.release(sent.kept_bytes)
        sent.kept_bytes = 0

    def _lose(self, sent: _Sent) -> None:
        """Give an exchange up: nothing more of it is sent, and it is over for us once it ends."""
        self.lost += not sent.is_lost
        sent.is_lost = True
        self._keep(sent, _all(sent.live.request_body), _all(sent.live.response_body))
        self._let_go(sent)
        if sent.is_over:
            self.settle([sent.live.exchange_id])


class Mirror:
    """Fills a feed from messages, as the hooks would. For one thread.

    Args:
        feed: What is filled.
    """

    def __init__(self, feed: HookFeed) -> None:
        self._feed = feed
        self._live: dict[str, LiveExchange] = {}
        self._announced: set[str] = set()

    def apply(self, message: bytes) -> None:
        """Take in one message.

        Raises:
            msgspec.MsgspecError: It is none.
        """
        told = decode(message)
        live = self._live.get(told.exchange_id)
        if live is None:
            if told.opening is None:
                return
            live = self._live[told.exchange_id] = live_of(told.exchange_id, told.opening, self._feed.new_body)
            self._feed.begin(live)
        _append(live.request_body, told.request, is_cut=told.is_request_cut)
        _append(live.response_body, told.response, is_cut=told.is_response_cut)
        if told.is_partial:
            return  # what the state says of the bodies is true once all their bytes are there
        apply_state(live, told.state)
        if told.is_over:
            del self._live[told.exchange_id]
            self._announced.discard(told.exchange_id)
            self._feed.finish(live)
        elif told.exchange_id not in self._announced:
            self._announced.add(told.exchange_id)
            self._feed.announce(live)


def _append(body: LiveBody, chunks: Iterable[bytes], *, is_cut: bool) -> None:
    for chunk in chunks:
        body.append(chunk)
    body.is_cut = body.is_cut or is_cut


def _progress(live: LiveExchange) -> tuple[object, ...]:
    bodies = live.request_body.recorded_bytes, live.response_body.recorded_bytes
    return (*bodies, live.status_code, live.is_request_done, live.is_response_done, live.first_byte_delivered_us)


def _some(body: LiveBody) -> list[bytes]:
    """Take some of a body's new bytes; what comes meanwhile may be among them."""
    chunks: list[bytes] = []
    size = 0
    while body.chunks and size < PART_BYTES:
        chunks.append(body.chunks.popleft())
        size += len(chunks[-1])
    return chunks


def _all(body: LiveBody) -> list[bytes]:
    """Take all of a body's new bytes."""
    return [body.chunks.popleft() for _ in range(len(body.chunks))]


def _portions(chunks: list[bytes]) -> Iterator[list[bytes]]:
    """Cut a list into portions of about `PART_BYTES`."""
    portion: list[bytes] = []
    size = 0
    for chunk in chunks:
        portion.append(chunk)
        size += len(chunk)
        if size >= PART_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _size(chunks: Iterable[bytes]) -> int:
    return sum(map(len, chunks))
