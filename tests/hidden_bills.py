"""A stand-in that bills by a hidden tokenizer and hidden overheads: conversations of segments, and the bills they get.

The ledger sees the segments and the bills only; the tests see the truth as well.
"""

import random
import re
from dataclasses import dataclass, field, replace

from proxy_core.attribution.content_classes import ContentClass, class_of
from proxy_core.attribution.context import MemoryContext
from proxy_core.attribution.estimates import content_hash
from proxy_core.attribution.model import (
    CallFacts,
    ContentKind,
    Part,
    Region,
    RequestClass,
    Segment,
    Source,
    SourceType,
    Usage,
)
from proxy_core.attribution.prices import PriceBook
from proxy_core.attribution.tokens.service import InlineCounting
from proxy_core.dialects.base import ParsedCall, ParsedResponse, PromptParameters, RecordedCall

_TOKEN = re.compile(r"[A-Za-z]{1,6}|\d{1,3}|[^\sA-Za-z\d]")

_SENTENCE = (
    "the model reads every file before it answers and then it writes a short note about what changed in the library "
    "so that others may follow the reasoning without opening each module again while tests keep running"
)
_WORDS = _SENTENCE.split()


def our_count(text: str) -> int:
    """Count the way the ledger's counter does."""
    return len(_TOKEN.findall(text))


def our_context() -> MemoryContext:
    """Make a context whose counter is `our_count`."""
    return MemoryContext(prices=PriceBook(), counting=InlineCounting(lambda _family, text: our_count(text)))


def some_text(rng: random.Random, content_class: ContentClass, size: int) -> str:
    """Write a text of a class, of about so many words."""
    if content_class is ContentClass.PROSE:
        return " ".join(rng.choice(_WORDS) for _ in range(size)) + "."
    if content_class is ContentClass.CODE:
        lines = (
            f"    self.{rng.choice(_WORDS)} = {rng.choice(_WORDS)}({rng.choice(_WORDS)}[{rng.randrange(9)}])"
            for _ in range(size // 6 + 1)
        )
        return "def run(self):\n" + "\n".join(lines)
    if content_class is ContentClass.JSON:
        return "{" + ", ".join(f'"{rng.choice(_WORDS)}": "{rng.choice(_WORDS)}"' for _ in range(size // 4 + 1)) + "}"
    if content_class is ContentClass.DIGITS:
        return "\n".join(
            f"2026-11-{rng.randrange(10, 30)} {rng.randrange(10**9)} {rng.choice(_WORDS)}" for _ in range(size // 5 + 1)
        )
    return "".join(rng.choice("書讀文字模型回答用戶程序測試數據") for _ in range(size))


CLASSES = (ContentClass.PROSE, ContentClass.CODE, ContentClass.JSON, ContentClass.DIGITS, ContentClass.WIDE)


@dataclass(kw_only=True)
class HiddenBilling:
    """What the ledger must not know."""

    ratios: dict[ContentClass, float]
    """True tokens for one of `our_count`'s."""
    noise: float
    """Relative standard deviation of each segment's own ratio."""
    tool_prompt: int
    frame: int
    next_frame: int
    seed: int
    call_frame: int = 0
    """Hidden tokens around a tool call, in the answer and in the prompt."""
    call_share: float = 0.0
    """How many answers are tool calls."""

    def true_tokens(self, segment: Segment) -> int:
        """Bill one segment: always the same for the same content."""
        rng = random.Random(f"{self.seed}{segment.content_hash}")
        ratio = self.ratios[class_of(segment.text)] * max(0.2, rng.gauss(1.0, self.noise))
        return max(1, round(our_count(segment.text) * ratio))


@dataclass
class Conversation:
    """A growing conversation and its bills."""

    billing: HiddenBilling
    model: str
    tools: int
    rng: random.Random
    segments: list[Segment] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    cached: int = 0
    turn: int = 0
    calls: int = 0
    is_call: bool = False

    def __post_init__(self) -> None:
        for index in range(self.tools):
            text = some_text(self.rng, ContentClass.JSON, self.rng.randrange(40, 400))
            self._add(Region.TOOLS, f"/tools/{index}", text, Source(SourceType.TOOL, f"tool{index}"), Part.DEFINITION)
        for index in range(5):
            text = some_text(self.rng, ContentClass.PROSE, self.rng.randrange(100, 1500))
            self._add(
                Region.SYSTEM, f"/system/{index}", text, Source(SourceType.FRAMEWORK, f"section{index}"), Part.INSTRUCTIONS
            )
        self.mark = len(self.segments) - 1

    def ask(self) -> tuple[ParsedCall, ParsedResponse, list[int]]:
        """Send the next request; return it, its answer with the bill, and the true tokens of each segment."""
        if self.turn:
            self._message("assistant", [self._answer_piece()])
        part = Part.RESULT if self.turn and self.is_call else Part.TEXT
        self._message("user", [self._user_piece(part) for _ in range(self.rng.randrange(1, 4))])
        self.calls += part is Part.RESULT
        self.turn += 1
        self.is_call = self.rng.random() < self.billing.call_share
        content_class = ContentClass.JSON if self.is_call else ContentClass.PROSE
        self.answer = some_text(self.rng, content_class, self.rng.randrange(30, 300))
        return self._billed()

    def _answer_piece(self) -> tuple[str, Source, Part, ContentKind]:
        if self.is_call:
            return self.answer, Source(SourceType.TOOL, "Bash"), Part.CALL, ContentKind.JSON
        return self.answer, Source(SourceType.ASSISTANT), Part.TEXT, ContentKind.TEXT

    def _user_piece(self, part: Part) -> tuple[str, Source, Part, ContentKind]:
        content_class = self.rng.choice(CLASSES)
        text = some_text(self.rng, content_class, self.rng.randrange(20, 800))
        return text, Source(SourceType.FILE, f"f{self.rng.randrange(50)}"), part, ContentKind.TEXT

    def _message(self, role: str, pieces: list[tuple[str, Source, Part, ContentKind]]) -> None:
        index = len(self.chain)
        for block, (text, source, part, kind) in enumerate(pieces):
            self._add(
                Region.MESSAGES, f"/messages/{index}/content/{block}", text, source, part, role=role, message=index, kind=kind
            )
        self.chain.append(content_hash("".join(self.chain) + "".join(piece[0] for piece in pieces)))
        self.ends.append(len(self.segments))

    def _add(
        self,
        region: Region,
        pointer: str,
        text: str,
        source: Source,
        part: Part,
        *,
        role: str | None = None,
        message: int | None = None,
        kind: ContentKind = ContentKind.TEXT,
    ) -> None:
        self.segments.append(
            Segment(
                source=source,
                part=part,
                region=region,
                pointer=pointer,
                start=0,
                end=len(text),
                text=text,
                content_bytes=len(text.encode()),
                content_hash=content_hash(text),
                content_kind=kind,
                role=role,
                message_index=message,
            )
        )

    def _billed(self) -> tuple[ParsedCall, ParsedResponse, list[int]]:
        billing = self.billing
        true = [billing.true_tokens(segment) for segment in self.segments]
        frames = billing.frame + billing.next_frame * (len(self.chain) - 1) + billing.call_frame * self.calls
        total = sum(true) + frames + (billing.tool_prompt if self.tools else 0)
        answer = self._answer_tokens()
        fresh = 3
        usage = Usage(
            input_tokens=fresh,
            cache_read_tokens=self.cached,
            cache_write_5m_tokens=total - fresh - self.cached,
            output_tokens=answer,
            service_tier="standard",
        )
        self.cached = total - fresh
        segments = list(self.segments)
        segments[self.mark] = replace(segments[self.mark], cache_ttl="5m")
        segments[-1] = replace(segments[-1], cache_ttl="5m")
        call = ParsedCall(
            facts=CallFacts(
                dialect="anthropic",
                model=self.model,
                request_class=RequestClass.MAIN,
                chain_hashes=tuple(self.chain),
                prefix_hash="p",
            ),
            segments=tuple(segments),
            parameters=PromptParameters(model=self.model, tool_choice=None, tool_types=("custom",) * self.tools),
        )
        block = {"type": "tool_use", "name": "Bash", "input": {}} if self.is_call else {"type": "text", "text": self.answer}
        response = ParsedResponse(
            blocks=(block,),
            usage=usage,
            model=self.model,
            stop_reason="end_turn",
            is_complete=True,
        )
        return call, response, true

    def _answer_tokens(self) -> int:
        text = self.answer
        segment = Segment(
            source=Source(SourceType.ASSISTANT),
            part=Part.TEXT,
            region=Region.MESSAGES,
            pointer="",
            start=0,
            end=0,
            text=text,
            content_bytes=0,
            content_hash=content_hash(text),
            content_kind=ContentKind.TEXT,
        )
        framing = self.billing.next_frame + (self.billing.call_frame if self.is_call else 0)
        return self.billing.true_tokens(segment) + framing


RECORDED = RecordedCall(
    method="POST", url="https://api.anthropic.com/v1/messages", request_headers=(), request_body=b"", status_code=200
)
