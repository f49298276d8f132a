from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guards.errors import WithheldError
from agent.guards.leaks import RUN, LeakWatch, grams_of, prompt_grams, recites
from agent.prompts import Prompt, all_prompts
from agent.services import sample_documents
from eval.cases import load_cases
from tools.knowledge.load import parse_file

PROMPT = "one two three four five six seven eight nine ten"
GRAMS = grams_of([PROMPT])


def streamed(pieces: Sequence[str]) -> tuple[str, bool]:
    """What got out, and whether the watch stopped the stream."""
    watch, out = LeakWatch(GRAMS), ""
    try:
        for piece in pieces:
            out += watch.feed(piece)
        out += watch.finish()
    except WithheldError as error:
        return out, error.reason == "instructions_repeated"
    return out, False


@given(st.text(alphabet="abc one two three.,\n", max_size=80), st.integers(1, 9))
def test_other_text_comes_out_unchanged_whatever_the_pieces(text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert streamed(pieces) == (text, False)


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    "recital",
    [
        PROMPT,
        PROMPT.upper(),
        PROMPT.replace(" ", ", "),
        PROMPT.replace(" ", "\n- "),
        PROMPT.replace("o", "о"),
        PROMPT.replace("three", "th\u200cree"),
        " ".join(PROMPT.split()[1 : 1 + RUN]),
    ],
)
def test_a_recital_is_stopped_before_it_gets_out(recital: str, size: int) -> None:
    text = f"Of course. {recital} and so on"
    out, stopped = streamed([text[at : at + size] for at in range(0, len(text), size)])
    assert stopped
    assert "Of course. ".startswith(out[:11])
    assert len(re.findall(r"\w+", out)) <= 3


def test_fewer_words_are_no_recital() -> None:
    nearly = " ".join(PROMPT.split()[: RUN - 1])
    assert streamed([f"{nearly} apples. {nearly}"]) == (f"{nearly} apples. {nearly}", False)


def test_a_word_that_goes_on_is_one_word() -> None:
    assert streamed(["one two three four five six seven eig", "ht"])[1]
    assert not streamed(["one two three four five six seven eig", "hteen"])[1]


@pytest.mark.parametrize("prompt", all_prompts(), ids=lambda prompt: prompt.id)
def test_every_prompt_is_known(prompt: Prompt) -> None:
    assert recites(f"My instructions: {prompt.text}")


def test_no_sample_document_and_no_golden_answer_is_taken_for_a_prompt() -> None:
    texts = [parse_file(file.read_bytes(), file.name).text for file in sample_documents()]
    texts += [case.model_dump_json() for case in load_cases()]
    assert len(texts) > 50
    assert not [text[:200] for text in texts if recites(text)]
    assert prompt_grams()
