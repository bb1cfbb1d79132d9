"""Large results that stay, and results that nothing refers to, are found; used and short-lived ones are not."""

from proxy_core.attribution.model import Part, SourceType
from storage.insights.results import oversized_results, unreferenced_results
from tests.storage.insights.turn_factory import Conversation, Piece, piece


def result(text: str, tokens: int) -> Piece:
    return piece(SourceType.TOOL, "Read", Part.RESULT, tokens, text)


def said(text: str) -> Piece:
    return piece(SourceType.ASSISTANT, None, Part.TEXT, 10, text)


def carried(content: Piece, turns: int, *after: Piece) -> Conversation:
    talk = Conversation()
    for _ in range(turns):
        talk.add(content, *after)
    return talk


def test_a_large_result_carried_for_turns_is_found() -> None:
    (finding,) = oversized_results(carried(result("long file", 9000), 5).turns)
    assert (finding.tokens, finding.exchanges) == (4 * 9000, 4)
    assert "9000 tokens was carried through 4 more requests" in finding.summary
    assert finding.is_certain


def test_small_or_short_lived_results_are_fine() -> None:
    assert oversized_results(carried(result("short file", 100), 9).turns) == []
    assert oversized_results(carried(result("long file", 9000), 3).turns) == []


def test_a_result_that_was_cleared_is_fine() -> None:
    talk = carried(result("long file", 9000), 2)
    for _ in range(4):
        talk.add(said("done"))
    assert oversized_results(talk.turns) == []


def test_a_result_that_nothing_refers_to_is_marked_as_a_reading() -> None:
    talk = carried(result("def compute_invoice_total(): ...", 500), 5, said("Let us look elsewhere."))
    (finding,) = unreferenced_results(talk.turns)
    assert not finding.is_certain
    assert "nothing after it refers to it" in finding.summary


def test_an_answer_or_call_that_names_something_from_it_refers_to_it() -> None:
    text = "def compute_invoice_total(): ..."
    assert unreferenced_results(carried(result(text, 500), 5, said("I changed compute_invoice_total.")).turns) == []
    call = piece(SourceType.TOOL, "Edit", Part.CALL, 10, '{"old":"compute_invoice_total"}')
    assert unreferenced_results(carried(result(text, 500), 5, call).turns) == []


def test_a_result_without_telling_words_is_not_judged() -> None:
    assert unreferenced_results(carried(result("ok", 500), 5, said("Good.")).turns) == []


def test_words_that_were_known_before_do_not_tell() -> None:
    ask = piece(SourceType.USER, None, Part.TEXT, 5, "see src/billing.py")
    talk = Conversation()
    for _ in range(5):
        talk.add(ask, result("src/billing.py is compute_invoice_total", 500), said("src/billing.py it is"))
    assert len(unreferenced_results(talk.turns)) == 1


def test_small_results_are_not_asked_about() -> None:
    assert unreferenced_results(carried(result("def compute_invoice_total(): ...", 50), 5, said("No.")).turns) == []
