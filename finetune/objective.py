"""What training minimises, and the binary score that a row's logits give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

# Weight of the second term. Servers only list the most probable tokens: every label word must be among them.
LISTED_WEIGHT = 0.1

Logits = NDArray[np.float64]


def label_loss(logits: Tensor, targets: Tensor, label_ids: Sequence[int]) -> Tensor:
    """Cross-entropy among the label words, plus a little while any of them is less probable than all other words.

    `logits` [rows, vocabulary]; `targets` [rows, labels]: how probable each label ought to be. For two labels the first
    term is the binary cross-entropy of the logits' difference.
    """
    chosen = logits[:, list(label_ids)]
    outside = logits.index_fill(1, torch.tensor(list(label_ids), device=logits.device), float("-inf"))
    unlisted = softplus(torch.logsumexp(outside, dim=1) - chosen.min(dim=1).values)
    return cross_entropy(chosen, targets) + LISTED_WEIGHT * unlisted.mean()


def margins(logits: Logits) -> Logits:
    """z = logit of the positive label minus that of the other, for two labels: [rows, 2] to [rows]."""
    return logits[:, 0] - logits[:, 1]
