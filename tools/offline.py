"""Nothing is fetched and nothing is reported to anybody: the switches of the libraries that would do so by default."""

from __future__ import annotations

import os

SWITCHES = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGSMITH_TRACING": "false",
    "LANGGRAPH_STRICT_MSGPACK": "true",  # checkpoints hold plain data only
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Since 1.29 it reports each session to its maker, and keeps an identifier of the machine in the home directory.
    "ORT_DISABLE_TELEMETRY": "1",
    "RAGAS_DO_NOT_TRACK": "true",
}


def stay_offline() -> None:
    """Set what the shell has not set. The libraries read it when they are imported, so this has to come before."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
