from __future__ import annotations

from finetune.data.chat import chat_prompt, to_chat
from finetune.data.dataset import Example
from finetune.data.domain import DomainData
from tools.fraud import FraudPolicy, derive_features, load_prompt, raise_flags
from tools.fraud.transaction import Transaction


def test_answers_begin_with_the_label_and_name_only_computed_flags(
    small_domain: DomainData, policy: FraudPolicy
) -> None:
    for example in small_domain.splits["validation"]:
        system, user, assistant = to_chat(example, policy, chat_prompt(["FRAUD", "LEGITIMATE"]))["messages"]
        assert system["content"] == load_prompt().instruction
        assert user["content"] == example.text
        label, score, flags, reasoning = assistant["content"].split("\n")
        assert label == example.label
        low, high = map(int, example.attributes["band"].split("-"))
        assert low <= int(score.removeprefix("Risk score: ")) <= high
        transaction = Transaction.model_validate(example.attributes["transaction"])
        raised = [flag.code for flag in raise_flags(transaction, policy, derive_features(transaction, policy))]
        assert flags == f"Red flags: {', '.join(raised) or 'none'}"
        assert reasoning.startswith("Reasoning: ")


def test_a_plain_text_is_answered_with_its_label() -> None:
    chat = to_chat(Example("r1", "a text", "spam", "g"), FraudPolicy(), chat_prompt(["spam", "ham", "news"]))
    assert chat["messages"][0]["content"].endswith("answer with one word: ham, news or spam.")
    assert chat["messages"][-1] == {"role": "assistant", "content": "spam"}
