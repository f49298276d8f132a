"""The embedded endpoint: llama.cpp's server in this process, on loopback, serving the packaged GGUF."""

from __future__ import annotations

import os
from pathlib import Path

import xllamacpp

from agent.models.catalog import EndpointConfig
from tools.fraud.errors import AdapterError

_QUIET = -1


class EmbeddedServer:
    """One llama.cpp server for one model file. Decoding leaves a core to the rest of the process.

    A second thread collapses decoding to a few tokens a second when anything else computes, since llama.cpp's threads
    spin; prompts are read in short bursts, where all cores pay.
    """

    def __init__(self, model: Path, config: EndpointConfig, *, adapter: Path | None = None, port: int = 0) -> None:
        """Load the model, with a LoRA adapter (GGUF) or without, and start listening; takes about a second.

        Port 0 picks a free one. Raises AdapterError when llama.cpp refuses to load.
        """
        cores = os.cpu_count() or 1
        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_ctx = config.context
        params.n_parallel = config.parallel
        params.kv_unified = True
        params.cpuparams.n_threads = config.threads or max(1, cores - 1)
        params.cpuparams_batch.n_threads = config.threads or cores
        params.port = port
        # Slots keep the shared start of prompts; a cache beyond them grows to gigabytes.
        params.cache_ram_mib = 0
        params.ui = False
        params.endpoint_metrics = True  # what `close` asks for
        params.offline = True
        params.verbosity = _QUIET
        if adapter is not None:
            params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
        try:
            self._server: xllamacpp.Server | None = xllamacpp.Server(params)
        except RuntimeError as error:
            if adapter is None:
                raise
            raise AdapterError(f"llama.cpp cannot load the adapter {adapter.name}.") from error
        self._address: str = self._server.listening_address

    @property
    def base_url(self) -> str:
        """The OpenAI-compatible API's address."""
        return f"{self._address}/v1"

    def close(self) -> None:
        """Stop the server and free the model."""
        if self._server is not None:
            # The figures come from llama.cpp's loop: an end that comes before the loop has begun is lost, and freeing
            # the server would then wait for good, with the interpreter's lock in its hands.
            self._server.handle_metrics()
        self._server = None
