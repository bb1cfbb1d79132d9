"""Whoever subscribed hears what was committed, and nobody who does wrong keeps the others from hearing it."""

from storage.notices import Change, ExchangeChanged, Notices


def test_subscribers_hear_until_they_end():
    notices, heard = Notices(), []
    end = notices.subscribe(heard.append)
    first = ExchangeChanged(1, Change.STARTED)
    notices.post(first)
    end()
    notices.post(ExchangeChanged(2, Change.FINISHED))
    assert heard == [first]


def test_a_failing_subscriber_keeps_nobody_from_hearing():
    notices, heard = Notices(), []

    def fail(_notice):
        raise ValueError("no")

    notices.subscribe(fail)
    notices.subscribe(heard.append)
    notices.post(ExchangeChanged(3, Change.GREW))
    assert [notice.id for notice in heard] == [3]
