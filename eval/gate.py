"""Floors under the figures of an evaluation, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.metrics import METRICS
from eval.outcomes import Evaluation, Subset
from tools.errors import InputError

BASELINE = Path(__file__).with_name("baseline.json")


class Limits(BaseModel):
    """What an evaluation must reach: floors and ceilings by `route.metric`, and how many cases may go unjudged."""

    model_config = ConfigDict(extra="forbid")

    floors: dict[str, float]
    ceilings: dict[str, float] = Field(default_factory=dict[str, float])
    instrument_failures: int = 0


class Baseline(BaseModel):
    """The limits of both subsets."""

    model_config = ConfigDict(extra="forbid")

    full: Limits
    quick: Limits

    def of(self, subset: Subset) -> Limits:
        """The limits of a subset."""
        return self.full if subset == "full" else self.quick


@dataclass(frozen=True)
class Verdict:
    """One limit and what was measured; `value` is `None` where no case measured it."""

    key: str
    limit: float
    value: float | None
    is_ceiling: bool = False

    @property
    def passed(self) -> bool:
        """Whether the figure keeps to the limit; what was not measured does not."""
        if self.value is None:
            return False
        return self.value <= self.limit if self.is_ceiling else self.value >= self.limit


@dataclass(frozen=True)
class Change:
    """A figure in two evaluations; `None` where one did not measure it."""

    key: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        """`after` minus `before`, where both are known."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class Comparison:
    """What changed from one evaluation to another: figures, and the cases both judged that got better or worse."""

    changes: Sequence[Change]
    better: Sequence[str]
    worse: Sequence[str]
    same_cases: bool


def load_baseline(path: Path = BASELINE) -> Baseline:
    """Read the limits.

    Raises:
        InputError: the file is missing, does not fit or names a metric that does not exist.
    """
    try:
        baseline = Baseline.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"The baseline {path} cannot be read: {error}", code="invalid_baseline") from None
    for limits in (baseline.full, baseline.quick):
        for key in (*limits.floors, *limits.ceilings):
            if key.rpartition(".")[2] not in METRICS:
                raise InputError(f"The baseline {path} names an unknown figure: {key}", code="invalid_baseline")
    return baseline


def check(evaluation: Evaluation, baseline: Baseline) -> list[Verdict]:
    """Hold every limit of the evaluation's subset against its figures."""
    limits = baseline.of(evaluation.subset)
    verdicts = [Verdict(key, limit, _value(evaluation, key)) for key, limit in limits.floors.items()]
    verdicts += [Verdict(key, limit, _value(evaluation, key), True) for key, limit in limits.ceilings.items()]
    failed = len(evaluation.instrument_failures)
    return [*verdicts, Verdict("instrument failures", limits.instrument_failures, failed, True)]


def compare(before: Evaluation, after: Evaluation) -> Comparison:
    """Figures and cases of two evaluations side by side."""
    keys = dict.fromkeys(measure.key for measure in (*before.measures, *after.measures))
    changes = [Change(key, _value(before, key), _value(after, key)) for key in keys]
    earlier = {outcome.id: _total(outcome.scores) for outcome in before.outcomes if outcome.scores}
    later = {outcome.id: _total(outcome.scores) for outcome in after.outcomes if outcome.scores}
    both = [case for case in later if case in earlier]
    return Comparison(
        changes=changes,
        better=[case for case in both if later[case] > earlier[case]],
        worse=[case for case in both if later[case] < earlier[case]],
        same_cases=before.golden_sha256 == after.golden_sha256,
    )


def _value(evaluation: Evaluation, key: str) -> float | None:
    found = evaluation.measure(key)
    return None if found is None else found.value


def _total(scores: dict[str, float]) -> float:
    return sum(-value if METRICS[metric].lower_is_better else value for metric, value in scores.items())
