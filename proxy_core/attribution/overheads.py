"""Overheads: what the API adds to a prompt and never shows, as sources of their own, from priors and from what bills taught.

Each has a name, a place in the prompt, an expected size and an error. Learning is a running mean with its variance, for each
model, tool choice and overhead; a prior counts until bills say better.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from proxy_core.attribution.calibration import Piece
from proxy_core.attribution.context import AnalysisContext, Topic
from proxy_core.attribution.overhead_priors import (
    ADAPTIVE_THINKING,
    OUTPUT_SCHEMA,
    SERVER_TOOLS,
    THINKING_SETTING,
    TOOL_PROMPT,
    TOOL_PROMPT_BY_FAMILY,
)
from proxy_core.attribution.tokens.families import O200K, claude_version, family_of, plain_model_id
from proxy_core.dialects.base import PromptParameters

HIDDEN = "not visible"
"""Name of what no rule explains."""
HISTORY = "history held by the API"
CONNECTOR = "tools of MCP connectors"
TOOL_PROMPT_NAME = "tool prompt"
DRIFT_VARIANCE = 4.0
"""Tokens squared by which an overhead is expected to wander between two bills: servers change."""
NEAR = 3.0
"""Standard errors within which a size is near the expected one."""
UNSEEN_VARIANCE = 1e12
"""Of what can be any size."""


@dataclass(frozen=True, slots=True)
class Overhead:
    """One invisible addition, before the tools (`at_start`) or before the messages."""

    name: str
    piece: Piece
    at_start: bool = True
    is_opaque: bool = False


@dataclass(frozen=True, slots=True)
class Learnt:
    """What bills taught about one overhead."""

    tokens: float
    variance: float
    prefixes: tuple[str, ...] = ()
    """Prefixes it was learnt from: one with the same tools and system teaches nothing new."""


class OverheadBook:
    """The overheads of one request, and what its bill teaches about them."""

    def __init__(self, context: AnalysisContext, parameters: PromptParameters, model: str | None) -> None:
        self._context = context
        self._model = plain_model_id(model or "")
        self._choice = "forced" if parameters.tool_choice in ("any", "tool") else "auto"
        self._priors = _priors(self._model, parameters, is_forced=self._choice == "forced")
        keys = [self._key(overhead.name) for overhead in self._priors]
        self._learnt = {key: _read(text) for key, text in context.recall(Topic.OVERHEAD, keys).items()}

    def overheads(self) -> list[Overhead]:
        """Return the overheads to expect, learnt sizes in place of priors."""
        return [self._with_learnt(overhead) for overhead in self._priors]

    def learn(self, billed: Mapping[str, tuple[int, float]], prefix: str, *, is_sure: bool = True) -> None:
        """Take what a bill made of the overheads.

        Args:
            billed: Name -> (tokens, variance left).
            prefix: Names the tools and system they were billed with.
            is_sure: The tokenizer was tested; if not, only sizes near the expected are believed.
        """
        updates: dict[str, str] = {}
        for overhead in self._priors:
            if overhead.is_opaque or overhead.name not in billed:
                continue
            key = self._key(overhead.name)
            before = self._learnt.get(key)
            if before is not None and prefix in before.prefixes:
                continue
            tokens, variance = billed[overhead.name]
            if not is_sure and abs(tokens - overhead.piece.estimate) > NEAR * math.sqrt(overhead.piece.variance):
                continue
            if variance >= overhead.piece.variance and before is None:
                continue
            prefixes = (*(before.prefixes if before else ()), prefix)[-8:]
            updates[key] = json.dumps([tokens, round(variance, 2), list(prefixes)])
        if updates:
            self._context.remember(Topic.OVERHEAD, updates)

    def _with_learnt(self, overhead: Overhead) -> Overhead:
        learnt = self._learnt.get(self._key(overhead.name))
        if learnt is None or overhead.is_opaque:
            return overhead
        piece = Piece(learnt.tokens, learnt.variance + DRIFT_VARIANCE)
        return Overhead(overhead.name, piece, at_start=overhead.at_start)

    def _key(self, name: str) -> str:
        return f"{self._model}|{self._choice}|{name}"


def _priors(model: str, parameters: PromptParameters, *, is_forced: bool) -> list[Overhead]:
    family = family_of(model)
    found: list[Overhead] = []
    if parameters.tool_types:
        found.append(Overhead(TOOL_PROMPT_NAME, _tool_prompt(model, family, is_forced=is_forced)))
        found += _server_tools(parameters.tool_types, is_new=(claude_version(model) or (9, 9)) >= (4, 7))
    setting = {"enabled": THINKING_SETTING, "adaptive": ADAPTIVE_THINKING}.get(parameters.thinking or "")
    if setting is not None and setting[family]:
        found.append(Overhead("thinking setting", Piece(float(setting[family]), 100.0)))
    if parameters.has_output_schema:
        found.append(Overhead("output schema prompt", Piece(float(OUTPUT_SCHEMA), 40.0**2)))
    if parameters.has_thread:
        found.append(Overhead(HISTORY, Piece(0.0, UNSEEN_VARIANCE), at_start=False, is_opaque=True))
    if "mcp_toolset" in parameters.tool_types:
        found.append(Overhead(CONNECTOR, Piece(500.0, UNSEEN_VARIANCE / 100), is_opaque=True))
    return found


def _tool_prompt(model: str, family: str, *, is_forced: bool) -> Piece:
    stems = [stem for stem in TOOL_PROMPT if model == stem or model.startswith((f"{stem}-20", f"{stem}@", f"{stem}-latest"))]
    tokens = TOOL_PROMPT[stems[0]] if stems else TOOL_PROMPT_BY_FAMILY[family]
    deviation = 60.0 if stems else 150.0
    if family == O200K:
        deviation = 250.0
    return Piece(float(tokens[is_forced]), deviation**2)


def _server_tools(types: tuple[str, ...], *, is_new: bool) -> list[Overhead]:
    found: list[Overhead] = []
    for tool_type in dict.fromkeys(types):
        for prefix, sizes in SERVER_TOOLS.items():
            if tool_type.startswith(prefix):
                tokens = float(sizes[is_new])
                found.append(Overhead(f"hidden definition of {tool_type}", Piece(tokens, (0.3 * tokens) ** 2)))
                break
    return found


def _read(text: str) -> Learnt:
    tokens, variance, prefixes = json.loads(text)
    return Learnt(float(tokens), float(variance), tuple(prefixes))
