"""What training minimises, and the binary score that a row's logits give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

# Weight of the probability mass outside the label words: servers only list the most probable tokens.
MASS_WEIGHT = 0.1

Logits = NDArray[np.float64]


def label_loss(logits: Tensor, labels: Tensor, label_ids: Sequence[int]) -> Tensor:
    """Cross-entropy among the label words, plus a little of what the vocabulary's other words receive.

    `logits` [rows, vocabulary], `labels` [rows] as places in `label_ids`. For two labels the first term is the binary
    cross-entropy of the logits' difference.
    """
    chosen = logits[:, list(label_ids)]
    outside = torch.logsumexp(logits, dim=1) - torch.logsumexp(chosen, dim=1)
    return cast("Tensor", cross_entropy(chosen, labels)) + MASS_WEIGHT * outside.mean()


def margins(logits: Logits) -> Logits:
    """z = logit of the positive label minus that of the other, for two labels: [rows, 2] to [rows]."""
    return logits[:, 0] - logits[:, 1]
