"""Label log-probabilities from the first generated token: one forward pass, nothing to parse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.errors import ModelUnavailableError
from tools.fraud.prompt import FRAUD, LEGITIMATE, LabelPrompt, load_prompt
from tools.ports import ChatModel, ChatRequest, TokenLogprobs, Usage

TOP_LOGPROBS = 20


@dataclass(frozen=True)
class LabelScore:
    """Natural-log probability of each label's first token.

    Labels outside the top list are in `floored`: they got the list's lowest value, an upper bound of their own.
    """

    logprobs: Mapping[str, float]
    floored: frozenset[str]
    usage: Usage

    @property
    def logp_fraud(self) -> float:
        """Log-probability of FRAUD."""
        return self.logprobs[FRAUD]

    @property
    def logp_legitimate(self) -> float:
        """Log-probability of LEGITIMATE."""
        return self.logprobs[LEGITIMATE]

    @property
    def unread(self) -> bool:
        """Whether no label was listed. With one missing, the probability only understates how sure the model is."""
        return len(self.floored) == len(self.logprobs)

    @property
    def z(self) -> float:
        """Raw logit: log-probability of FRAUD minus that of LEGITIMATE."""
        return self.logp_fraud - self.logp_legitimate


async def label_logit(model: ChatModel, narrative: str, prompt: LabelPrompt | None = None) -> LabelScore:
    """Ask for one token and read the labels' log-probabilities beside it.

    Where the endpoint supports grammars the token itself is forced to be a label's, so that at least one label is
    exact; the log-probabilities stay those of the unconstrained model. Raises ModelUnavailableError, also when the
    endpoint answers without log-probabilities.
    """
    prompt = prompt or load_prompt()
    request = ChatRequest(
        messages=prompt.messages(narrative),
        max_tokens=1,
        temperature=0.0,
        top_logprobs=TOP_LOGPROBS,
        grammar=prompt.grammar if model.supports_grammar else None,
    )
    completion = await model.complete(request)
    if not completion.logprobs:
        raise ModelUnavailableError(
            "The fraud model's endpoint returns no token log-probabilities, which a score needs.", model=model.name
        )
    logprobs, floored = read_labels(completion.logprobs[0], prompt.labels)
    return LabelScore(logprobs, floored, completion.usage)


def read_labels(position: TokenLogprobs, labels: Sequence[str]) -> tuple[dict[str, float], frozenset[str]]:
    """Log-probability of each label at one position, and the labels that were not listed there.

    A token counts for a label when it begins it and no other label; of several, the most probable is taken.
    """
    listed = {**position.top, position.token: position.logprob}
    floor = min(listed.values())
    found: dict[str, float] = {}
    for token, logprob in listed.items():
        begun = [label for label in labels if token and label.startswith(token)]
        if len(begun) == 1:
            found[begun[0]] = max(logprob, found.get(begun[0], logprob))
    return {label: found.get(label, floor) for label in labels}, frozenset(set(labels) - set(found))
