"""Card transactions to fraud scores: schema, parsing, features, flags, narrative, label probability, calibration.

`finetune` trains on the same narrative, prompt and labels that `score` asks about.
"""

from tools.fraud.calibration import Calibration
from tools.fraud.errors import AdapterError, FieldsError, MissingFieldsError
from tools.fraud.features import Features, derive_features
from tools.fraud.flags import Flag, heuristic_score, raise_flags
from tools.fraud.label import LabelScore, label_logit
from tools.fraud.manifest import AdapterManifest, load_manifest
from tools.fraud.narrative import NARRATIVE_VERSION, narrate
from tools.fraud.parse import TransactionEvidence, looks_like_transaction, parse_transaction, require_transaction
from tools.fraud.policy import FraudPolicy, Thresholds, load_policy
from tools.fraud.prompt import FRAUD, LEGITIMATE, LabelPrompt, load_prompt
from tools.fraud.reasoning import explain_flags
from tools.fraud.score import Assessment, FraudScore, IdentifiedModel, ScoredBy, assess, score, score_many
from tools.fraud.transaction import CHANNELS, Transaction, read_transaction

__all__ = [
    "CHANNELS",
    "FRAUD",
    "LEGITIMATE",
    "NARRATIVE_VERSION",
    "AdapterError",
    "AdapterManifest",
    "Assessment",
    "Calibration",
    "Features",
    "FieldsError",
    "Flag",
    "FraudPolicy",
    "FraudScore",
    "IdentifiedModel",
    "LabelPrompt",
    "LabelScore",
    "MissingFieldsError",
    "ScoredBy",
    "Thresholds",
    "Transaction",
    "TransactionEvidence",
    "assess",
    "derive_features",
    "explain_flags",
    "heuristic_score",
    "label_logit",
    "load_manifest",
    "load_policy",
    "load_prompt",
    "looks_like_transaction",
    "narrate",
    "parse_transaction",
    "raise_flags",
    "read_transaction",
    "require_transaction",
    "score",
    "score_many",
]
