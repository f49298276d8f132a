"""Seconds to the first token of the embedded model, by the tokens of the prompt that no cache holds."""

from __future__ import annotations

import random
import statistics

import httpx

from eval.bench.chats import first_token
from eval.bench.measures import Figures
from eval.bench.processes import raw_model

BUDGETS = (100, 200, 300, 400, 600)
_PROMPTS = 12
_WORDS = "account alert amount branch card case claim country customer day fee form hour limit merchant notice".split()


async def first_token_by_budget() -> Figures:
    """The same server and settings as the embedded endpoint; every prompt begins with words that none had before."""
    figures: Figures = {"prompts_each": _PROMPTS}
    rng = random.Random(0)
    with raw_model() as raw:
        async with httpx.AsyncClient(base_url=raw.url, timeout=120) as client:
            await _ask(client, rng, 50)
            for budget in BUDGETS:
                taken = [await _ask(client, rng, budget) for _ in range(_PROMPTS)]
                figures[f"p50_s_{budget}"] = statistics.median(taken)
                figures[f"tokens_per_s_{budget}"] = budget / statistics.median(taken)
    return figures


async def _ask(client: httpx.AsyncClient, rng: random.Random, tokens: int) -> float:
    """Seconds to the first token after a prompt of about so many tokens, the template's included."""
    text = f"{rng.getrandbits(40)} " + " ".join(rng.choices(_WORDS, k=tokens))
    # What a model has to say to random words may be nothing.
    body = {"max_tokens": 4, "temperature": 0, "ignore_eos": True}
    template = await _length(client, "")
    answer = await client.post("/tokenize", json={"content": text})
    kept = answer.raise_for_status().json()["tokens"][: tokens - template]
    answer = await client.post("/detokenize", json={"tokens": kept})
    content = answer.raise_for_status().json()["content"]
    return await first_token(client, {**body, "messages": [{"role": "user", "content": content}]})


async def _length(client: httpx.AsyncClient, content: str) -> int:
    """Tokens of a prompt with this content, as the model's chat template makes it."""
    answer = await client.post("/apply-template", json={"messages": [{"role": "user", "content": content}]})
    prompt = answer.raise_for_status().json()["prompt"]
    answer = await client.post("/tokenize", json={"content": prompt, "parse_special": True})
    return len(answer.raise_for_status().json()["tokens"])
