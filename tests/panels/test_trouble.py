from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest

from finetuning.errors import ParameterError, SweepWarning
from finetuning.panels.trouble import Trouble, explained, shown

HOSTILE = "<img src=x onerror=alert(1)></script>\u202e" + "x" * 700


def test_nothing_is_there_until_something_went_wrong() -> None:
    trouble = Trouble()
    assert trouble.children == ()
    assert trouble.text == ""
    with shown(trouble):
        raise ParameterError("bpm=3.5 is not whole.", parameter="bpm", hint="Round it: 4.")
    assert trouble.messages == [("bpm=3.5 is not whole.", "Round it: 4.")]
    assert trouble.text == "bpm=3.5 is not whole.\nRound it: 4."
    assert 'role="alert"' in trouble._html.value
    trouble._dismiss.click()
    assert trouble.children == ()
    assert trouble.text == ""


def test_it_decorates_functions_and_lets_interrupts_pass() -> None:
    trouble = Trouble()

    @shown(trouble)
    def callback(problem: BaseException) -> None:
        raise problem

    callback(ZeroDivisionError())
    callback(KeyError("no such thing"))
    assert trouble.messages == [("ZeroDivisionError", None), ("KeyError: 'no such thing'", None)]
    with pytest.raises(KeyboardInterrupt):
        callback(KeyboardInterrupt())


def test_hostile_text_is_text_and_keys_are_not_shown() -> None:
    trouble = Trouble()
    trouble.say(HOSTILE, HOSTILE)
    trouble.show(RuntimeError("ft_live_" + "ab3f" * 8))
    assert "<img" not in trouble._html.value
    assert "</script>" not in trouble._html.value
    assert trouble._html.value.count("&lt;img") == 2
    assert "ab3fab3f" not in trouble.text


def test_what_is_said_again_moves_down_and_only_the_last_few_stay() -> None:
    trouble = Trouble()
    for number in (1, 2, 3, 1, 4, 5):
        trouble.say(str(number))
    assert [message for message, _ in trouble.messages] == ["3", "1", "4", "5"]


def test_a_warning_is_no_alert_and_a_closed_client_is_told_in_words() -> None:
    trouble = Trouble()
    trouble.show(SweepWarning("It paused."))
    assert 'role="status"' in trouble._html.value
    assert explained(CancelledError()) == (
        "The client was closed before this was done.",
        "Make a new one with ft.connect().",
    )


def test_many_threads_may_tell_it() -> None:
    trouble = Trouble()
    threads = [threading.Thread(target=trouble.say, args=(f"{number}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(trouble.messages) == 4
