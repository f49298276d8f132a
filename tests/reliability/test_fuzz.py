"""Scenarios can be played again, and what is wrong with a reader is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.reliability.fuzz import KINDS, Reader, check, scenario
from tests.reliability.wire import Frame


def frames(*names: str) -> list[Frame]:
    return [
        Frame(seq, name, "{}", f"id: r:{seq}\nevent: {name}\ndata: {{}}".encode()) for seq, name in enumerate(names, 1)
    ]


WHOLE = Reader("late", frames("run", "token", "result", "end"))


def test_a_scenario_is_the_same_for_the_same_seed() -> None:
    assert scenario(3, 5) == scenario(3, 5)
    assert scenario(3, 5) != scenario(4, 5)


def test_all_readers_of_all_kinds_of_runs_are_cut_off() -> None:
    scenes = [scenario(1, number) for number in range(60)]
    assert all(set(scene.cuts) == set(KINDS) and all(scene.cuts.values()) for scene in scenes)
    assert {scene.protocol for scene in scenes} == {"native", "langgraph"}
    assert any(scene.cancel_after_s is not None for scene in scenes)
    assert {cut.resume for scene in scenes for cut in scene.cuts["slow"]} == {"header", "after", "both"}
    assert any(cut.after_bytes == 0 for scene in scenes for cut in scene.cuts["joiner"])


def test_a_reader_that_got_everything_is_well() -> None:
    assert check(Reader("slow", list(WHOLE.frames)), WHOLE) == []


@pytest.mark.parametrize(
    ("got", "wrong"),
    [
        (WHOLE.frames[:2] + WHOLE.frames[3:], "the numbers"),
        (WHOLE.frames[:3], "terminal event"),
        ([*WHOLE.frames, replace(WHOLE.frames[3], seq=5)], "terminal event"),
        ([*WHOLE.frames[:3], replace(WHOLE.frames[3], raw=b"other")], "other bytes"),
        ([WHOLE.frames[0], *WHOLE.frames], "the numbers"),
        ([], "terminal event"),
    ],
    ids=["gap", "no end", "two ends", "other bytes", "twice", "nothing"],
)
def test_what_is_wrong_is_said(got: list[Frame], wrong: str) -> None:
    assert any(wrong in said for said in check(Reader("joiner", got), WHOLE))
