import json
import math
import random

import pytest

from proxy_core.attribution.content_classes import O200K_RATIOS, ContentClass
from proxy_core.attribution.context import Topic
from proxy_core.attribution.self_check import KNOWN_ERROR, TokenizerState, load_tokenizer, save_tokenizer
from proxy_core.attribution.tokens.families import O200K, V4_8
from tests.hidden_bills import our_context


def state(model: str = "claude-opus-4-8", family: str = V4_8) -> TokenizerState:
    return TokenizerState(model=model, family=family)


def fed(
    start: TokenizerState, ratio: float, samples: int, *, tokens: float = 300, name: ContentClass = ContentClass.PROSE
) -> TokenizerState:
    for _ in range(samples):
        start = start.with_sample({name: tokens}, round(tokens * ratio))
    return start


def test_no_samples_no_judgement() -> None:
    fresh = state()

    assert (fresh.running_ratio, fresh.is_suspect, fresh.is_unknown, fresh.is_tested, fresh.note) == (
        None,
        False,
        False,
        False,
        None,
    )
    assert set(fresh.ratios().values()) == {1.0}
    assert fresh.hidden_limit_tokens == 1500


def test_a_fitting_tokenizer_earns_trust() -> None:
    tested = fed(state(), 1.004, 20)

    assert tested.is_tested
    assert tested.error == KNOWN_ERROR
    assert tested.hidden_limit_tokens == math.inf
    assert tested.note is None


@pytest.mark.parametrize("ratio", [0.97, 1.03, 1.4])
def test_twenty_samples_outside_two_percent_make_it_unknown(ratio: float) -> None:
    almost, judged = fed(state(), ratio, 19), fed(state(), ratio, 20)

    assert not almost.is_unknown
    assert judged.is_unknown
    assert judged.note is not None
    assert f"does not fit claude-opus-4-8 (billed/counted {ratio:.3f}" in judged.note
    assert judged.ratios()[ContentClass.PROSE] == pytest.approx(ratio, abs=0.01)
    assert judged.hidden_limit_tokens == 0


def test_suspicion_comes_sooner() -> None:
    suspect = fed(state(), 1.4, 2)

    assert suspect.is_suspect
    assert suspect.is_scaled
    assert suspect.note is not None
    assert "may not fit" in suspect.note
    assert suspect.error > 0.02


def test_ratios_that_cancel_out_hide_nothing() -> None:
    mixed = fed(fed(state(), 1.3, 12), 0.7, 12, name=ContentClass.CODE)

    assert mixed.running_ratio == pytest.approx(1.0)
    assert mixed.is_unknown
    assert mixed.ratios()[ContentClass.PROSE] > 1.2
    assert mixed.ratios()[ContentClass.CODE] < 0.8


def test_one_outlier_is_no_tokenizer() -> None:
    assert not fed(state(), 1.0, 30).with_sample({ContentClass.PROSE: 300.0}, 309).is_suspect


def test_a_silent_change_is_seen_within_a_session() -> None:
    assert fed(fed(state(), 1.0, 200), 1.35, 25).is_unknown


def test_classes_are_told_apart_in_mixtures() -> None:
    rng = random.Random(5)
    truth = {ContentClass.PROSE: 1.5, ContentClass.JSON: 0.8, ContentClass.CODE: 1.1}
    learnt = state()
    for _ in range(40):
        counted = {name: rng.uniform(50, 500) for name in truth}
        learnt = learnt.with_sample(counted, round(sum(tokens * truth[name] for name, tokens in counted.items())))

    for name, ratio in truth.items():
        assert learnt.ratios()[name] == pytest.approx(ratio, abs=0.08)


def test_an_empty_sample_says_nothing() -> None:
    assert state().with_sample({}, 10) == state()


def test_a_model_of_unknown_family_starts_from_the_stand_ins_ratios() -> None:
    stranger = state("claude-zephyr", O200K)

    assert stranger.is_unknown
    assert stranger.ratios()[ContentClass.PROSE] == pytest.approx(O200K_RATIOS[ContentClass.PROSE], rel=0.05)
    assert stranger.note is not None
    assert "unknown" in stranger.note
    assert set(state("gpt-4.1", O200K).ratios().values()) == {1.0}


def test_an_unverified_model_is_trusted_after_its_own_bills() -> None:
    assert state("claude-opus-5-5").hidden_limit_tokens == 0
    assert state("claude-opus-5-5").error > state().error
    assert fed(state("claude-opus-5-5"), 1.0, 3).hidden_limit_tokens == math.inf


def test_a_state_survives_being_remembered() -> None:
    context = our_context()
    before = fed(state(), 1.25, 7)
    save_tokenizer(context, before)

    after = load_tokenizer(context, "claude-opus-4-8")

    assert after.samples == before.samples
    assert after.ratios() == pytest.approx(before.ratios(), abs=1e-3)
    assert load_tokenizer(context, None).model == "an unnamed model"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"family": "ctok 4.8"}',
        '{"family": "ctok 3", "samples": [], "moments": [], "responses": []}',
        json.dumps({"family": V4_8, "samples": [], "moments": [[1]], "responses": [1]}),
    ],
)
def test_what_cannot_be_read_is_forgotten(text: str) -> None:
    context = our_context()
    context.remember(Topic.TOKENIZER, {"claude-opus-4-8": text})

    assert load_tokenizer(context, "claude-opus-4-8") == state()
