"""The self-check: does the tokenizer that we count by still fit what the API bills?

For each model it compares billed and counted tokens of texts that stand alone between two exact positions. When they part, the
tokenizer is unknown from then on, and ratios learnt for each class of content take the place of trust. Nothing here counts.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proxy_core.attribution.content_classes import O200K_RATIOS, ContentClass
from proxy_core.attribution.context import AnalysisContext, Topic
from proxy_core.attribution.tokens.families import O200K, claude_version, family_of, is_verified

CLASSES = tuple(ContentClass)
TOLERANCE = 0.02
"""A running ratio outside 1 by more than this is no fit."""
SAMPLES_TO_JUDGE = 20
SAMPLES_KEPT = 40
"""The running ratio looks back this far, so that a silent change shows within a session."""
MIN_SUSPECT_TOKENS = 120
"""Fewer counted tokens than this raise no suspicion."""
OFF_SHARE = 0.3
"""Samples that do not fit may hold this share of the counted tokens: now and then a bill holds something hidden."""
SAMPLE_NOISE_TOKENS = 3
"""Frames around a sample are known to about this much."""
PRIOR_TOKENS = 150.0
"""How many tokens of evidence a class's prior ratio is worth."""
FORGETTING = 0.98
"""What is left of older evidence with every new sample."""

KNOWN_ERROR = 0.001
"""Relative error of a counter that fits (median 0, measured on 489 recorded requests)."""
UNTESTED_ERROR = 0.004
UNVERIFIED_ERROR = 0.08
"""Of a counter whose model nobody compared with bills yet."""
SAMPLES_TO_TRUST = 3
HIDDEN_LIMIT_TOKENS = 1500
"""Hidden prompts of known models are no larger; those of server tools are expected by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerState:
    """What is known of a model's tokenizer from its bills."""

    model: str
    family: str
    samples: tuple[tuple[float, int], ...] = ()
    """The newest (counted, billed) pairs, oldest first."""
    moments: tuple[tuple[float, ...], ...] = ((0.0,) * len(CLASSES),) * len(CLASSES)
    """Weighted sums of products of counted tokens by class."""
    responses: tuple[float, ...] = (0.0,) * len(CLASSES)
    """Weighted sums of counted tokens by class times billed tokens."""

    @property
    def base_ratios(self) -> Mapping[ContentClass, float]:
        """Ratios to start from, before any evidence."""
        is_stand_in = self.family == O200K and self.model.startswith("claude") and claude_version(self.model) is None
        return O200K_RATIOS if is_stand_in else dict.fromkeys(CLASSES, 1.0)

    @property
    def running_ratio(self) -> float | None:
        """Billed over counted tokens, over the newest samples; `None` without any."""
        counted = sum(pair[0] for pair in self.samples)
        return sum(pair[1] for pair in self.samples) / counted if counted else None

    @property
    def is_off(self) -> bool:
        """Enough of the counted tokens lie in samples whose bill is not their count: ratios that cancel out hide nothing."""
        counted = sum(pair[0] for pair in self.samples)
        off = sum(pair[0] for pair in self.samples if abs(pair[1] - pair[0]) > TOLERANCE * pair[0] + 2 * SAMPLE_NOISE_TOKENS)
        ratio = self.running_ratio
        noise = SAMPLE_NOISE_TOKENS * math.sqrt(len(self.samples)) / max(counted, 1.0)
        return off > OFF_SHARE * counted or (ratio is not None and abs(ratio - 1) > TOLERANCE + 2 * noise)

    @property
    def is_suspect(self) -> bool:
        """The counts do not fit, as far as can be told from the samples so far."""
        return sum(pair[0] for pair in self.samples) >= MIN_SUSPECT_TOKENS and self.is_off

    @property
    def is_unknown(self) -> bool:
        """The tokenizer is not the one we count by: enough samples say so, or nobody ever knew it."""
        return self.family == O200K or (len(self.samples) >= SAMPLES_TO_JUDGE and self.is_off)

    @property
    def is_scaled(self) -> bool:
        """Counts are multiplied by learnt ratios."""
        return self.is_unknown or self.is_suspect

    @property
    def error(self) -> float:
        """Relative standard error that all texts share."""
        if self.is_scaled:
            counted = sum(pair[0] for pair in self.samples)
            return max(0.02, 0.2 / math.sqrt(1 + counted / 200))
        if self.is_tested:
            return KNOWN_ERROR
        return UNTESTED_ERROR if is_verified(self.model) else UNVERIFIED_ERROR

    @property
    def is_tested(self) -> bool:
        """Its bills agree with our counts."""
        return len(self.samples) >= SAMPLES_TO_TRUST and not self.is_scaled

    @property
    def hidden_limit_tokens(self) -> float:
        """How much of a surprising surplus may be something hidden; beyond it the tokenizer is to blame."""
        if self.is_scaled:
            return 0.0
        if self.is_tested:
            return math.inf
        return HIDDEN_LIMIT_TOKENS if is_verified(self.model) else 0.0

    @property
    def note(self) -> str | None:
        """The finding, for people; `None` when there is nothing to say."""
        ratio = self.running_ratio
        if self.family == O200K and not self.samples:
            return f"the tokenizer of {self.model} is unknown: estimates by the o200k vocabulary"
        if not self.is_scaled or ratio is None:
            return None
        verb = "does not fit" if self.is_unknown else "may not fit"
        found = f"billed/counted {ratio:.3f} over {len(self.samples)} samples"
        return f"the {self.family} tokenizer {verb} {self.model} ({found}): ratios learnt from its bills are used"

    def ratios(self) -> dict[ContentClass, float]:
        """Billed tokens for one counted token, by class of content."""
        if not self.is_scaled:
            return dict.fromkeys(CLASSES, 1.0)
        base = self.base_ratios
        counted = sum(pair[0] for pair in self.samples)
        mean_base = sum(base.values()) / len(base)
        overall = (sum(pair[1] for pair in self.samples) + PRIOR_TOKENS * mean_base) / (counted + PRIOR_TOKENS) / mean_base
        matrix = [list(row) for row in self.moments]
        right = list(self.responses)
        for index, name in enumerate(CLASSES):
            matrix[index][index] += PRIOR_TOKENS
            right[index] += PRIOR_TOKENS * base[name] * overall
        solved = _solve(matrix, right)
        return {name: min(10.0, max(0.1, value)) for name, value in zip(CLASSES, solved, strict=True)}

    def with_sample(self, counted: Mapping[ContentClass, float], billed: int) -> "TokenizerState":
        """Take one more comparison: counted tokens by class against what was billed for all of them."""
        vector = [float(counted.get(name, 0.0)) for name in CLASSES]
        whole = sum(vector)
        if whole <= 0:
            return self
        moments = tuple(
            tuple(FORGETTING * old + left * right / whole for old, right in zip(row, vector, strict=True))
            for row, left in zip(self.moments, vector, strict=True)
        )
        responses = tuple(FORGETTING * old + value * billed / whole for old, value in zip(self.responses, vector, strict=True))
        samples = (*self.samples, (whole, billed))[-SAMPLES_KEPT:]
        return TokenizerState(model=self.model, family=self.family, samples=samples, moments=moments, responses=responses)


def load_tokenizer(context: AnalysisContext, model: str | None) -> TokenizerState:
    """Recall what is known of a model's tokenizer."""
    name = model or "an unnamed model"
    fresh = TokenizerState(model=name, family=family_of(model))
    stored = context.recall(Topic.TOKENIZER, (name,)).get(name)
    if stored is None:
        return fresh
    try:
        return _from_json(fresh, json.loads(stored))
    except (ValueError, TypeError, KeyError):
        return fresh


def save_tokenizer(context: AnalysisContext, state: TokenizerState) -> None:
    """Remember what is known of a model's tokenizer."""
    parsed = {
        "family": state.family,
        "samples": [[round(counted, 2), billed] for counted, billed in state.samples],
        "moments": [[round(value, 3) for value in row] for row in state.moments],
        "responses": [round(value, 3) for value in state.responses],
    }
    context.remember(Topic.TOKENIZER, {state.model: json.dumps(parsed, separators=(",", ":"))})


def _from_json(fresh: TokenizerState, parsed: dict[str, Any]) -> TokenizerState:
    """Read a remembered state; one of another family or shape is forgotten."""
    moments = tuple(tuple(map(float, row)) for row in parsed["moments"])
    responses = tuple(map(float, parsed["responses"]))
    if (
        parsed["family"] != fresh.family
        or len(responses) != len(CLASSES)
        or {len(moments), *map(len, moments)} != {len(CLASSES)}
    ):
        return fresh
    samples = tuple((float(counted), int(billed)) for counted, billed in parsed["samples"])
    return TokenizerState(model=fresh.model, family=fresh.family, samples=samples, moments=moments, responses=responses)


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a small symmetric positive definite system by elimination."""
    size = len(right)
    for pivot in range(size):
        for row in range(pivot + 1, size):
            factor = matrix[row][pivot] / matrix[pivot][pivot]
            right[row] -= factor * right[pivot]
            for column in range(pivot, size):
                matrix[row][column] -= factor * matrix[pivot][column]
    solved = [0.0] * size
    for row in reversed(range(size)):
        known = sum(matrix[row][column] * solved[column] for column in range(row + 1, size))
        solved[row] = (right[row] - known) / matrix[row][row]
    return solved
