"""What adapters are trained on is never taken for an instruction: training and serving tell the same."""

from __future__ import annotations

import random

from finetune.data import notes
from finetune.data.domain import DomainData
from tools.fraud.instructions import speaks_to_the_model
from tools.untrusted import inert


def test_no_note_of_the_simulator_speaks_to_the_model() -> None:
    rng = random.Random(1)
    written = [
        notes.write_note(rng, situation, honest=honest, here="Lyon", other="Porto", all_wordings=True)
        for situation in ("away", "online", "burst")
        for honest in (True, False)
        for _ in range(300)
    ]
    written += [notes.neutral_note(rng) for _ in range(300)]
    assert not [note for note in written if speaks_to_the_model(note)]


def test_training_texts_are_served_byte_for_byte(small_domain: DomainData) -> None:
    examples = [example for split in small_domain.splits.values() for example in split]
    assert examples
    assert not [example.text for example in examples if speaks_to_the_model(example.text)]
    assert not [example.text for example in examples if inert(example.text) != example.text]
