"""The embedded model alone: `python -m eval.bench.raw_model PORT`."""

from __future__ import annotations

import signal
import sys

from agent.models.catalog import load_catalog
from agent.models.embedded import EmbeddedServer
from agent.models.files import LANGUAGE_MODEL

if __name__ == "__main__":
    server = EmbeddedServer(LANGUAGE_MODEL.locate(), load_catalog().endpoints["embedded"], port=int(sys.argv[1]))
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.close()
