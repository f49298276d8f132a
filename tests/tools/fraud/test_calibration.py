from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fraud import AdapterError, Calibration
from tools.fraud.calibration import logit, sigmoid

_logits = st.floats(min_value=-50, max_value=50)


@given(_logits)
def test_without_calibration_the_probability_is_the_two_label_softmax(z: float) -> None:
    assert Calibration().probability(z) == pytest.approx(math.exp(z / 2) / (math.exp(z / 2) + math.exp(-z / 2)))
    assert not Calibration().calibrated


@given(st.floats(min_value=-1e300, max_value=1e300))
def test_sigmoid_never_overflows(x: float) -> None:
    assert 0 <= sigmoid(x) <= 1


@given(st.floats(min_value=0.001, max_value=0.999))
def test_logit_is_the_inverse_of_sigmoid(p: float) -> None:
    assert sigmoid(logit(p)) == pytest.approx(p)


def test_temperature_and_bias() -> None:
    calibration = Calibration(temperature=2, bias=1, method="temperature_bias")
    assert calibration.probability(-1) == 0.5
    assert calibration.probability(3) == pytest.approx(sigmoid(2))
    assert calibration.calibrated


@given(st.floats(min_value=0.01, max_value=0.99), st.floats(min_value=0.01, max_value=0.99), _logits)
def test_the_prior_correction_is_bayes_rule(fitted: float, deployed: float, z: float) -> None:
    p = Calibration().probability(z)
    corrected = Calibration(fitted_rate=fitted, deployed_rate=deployed).probability(z)
    fraud, legitimate = p * deployed / fitted, (1 - p) * (1 - deployed) / (1 - fitted)
    assert corrected == pytest.approx(fraud / (fraud + legitimate), abs=1e-9)


def test_json_round_trip() -> None:
    calibration = Calibration(1.7, -0.3, 0.5, 0.01, "temperature_bias")
    assert Calibration.from_json(calibration.to_json()) == calibration


@pytest.mark.parametrize(
    "text", ["", "[]", '{"temperature": 0}', '{"unknown": 1}', '{"bias": NaN}', '{"fitted_rate": 1}']
)
def test_unreadable_calibrations_are_refused(text: str) -> None:
    with pytest.raises(AdapterError):
        Calibration.from_json(text)
