"""Turns are joined to conversations by their predecessor, and unknown prices stay unknown in sums."""

from proxy_core.attribution.model import Part, SourceType
from storage.insights.distortion import distorted_capture
from storage.insights.turns import Amount, by_session, conversations
from tests.storage.insights.turn_factory import Conversation, piece

TEXT = piece(SourceType.USER, None, Part.TEXT, 10, "go")


def test_turns_form_chains_and_forks_start_their_own() -> None:
    talk = Conversation()
    for _ in range(3):
        talk.add(TEXT)
    fork = Conversation(first_id=9, turns=[talk.turns[1]])
    fork.add(TEXT)
    turns = [*reversed(talk.turns), fork.turns[1]]
    assert [[turn.id for turn in chain] for chain in conversations(turns)] == [[1, 2, 3], [10]]


def test_sessions_are_told_apart() -> None:
    one, none = Conversation("s1"), Conversation(None, first_id=5)
    one.add(TEXT)
    none.add(TEXT)
    assert {key: len(turns) for key, turns in by_session(one.turns + none.turns).items()} == {"s1": 1, None: 1}


def test_an_unknown_price_is_not_zero() -> None:
    assert Amount(1, 5) + Amount(2, 6) == Amount(3, 11)
    assert (Amount(1, 5) + Amount(2, None)).cost_nano_usd is None


def test_distorted_requests_are_told_once_with_the_remedy() -> None:
    talk = Conversation()
    talk.add(TEXT)
    assert distorted_capture(talk.turns) == []
    talk.add(TEXT, is_distorted=True)
    (finding,) = distorted_capture(talk.turns)
    assert (finding.exchanges, finding.tokens, finding.share) == (1, 10, 0.5)
    assert "assay run" in finding.action
