class _Model:
    path: str

class _CpuParams:
    n_threads: int

class CommonAdapterLoraInfo:
    def __init__(self, path: str, scale: float) -> None: ...

class CommonParams:
    model: _Model
    n_ctx: int
    cache_ram_mib: int
    n_parallel: int
    kv_unified: bool
    cpuparams: _CpuParams
    cpuparams_batch: _CpuParams
    port: int
    ui: bool
    endpoint_metrics: bool
    offline: bool
    verbosity: int
    lora_adapters: list[CommonAdapterLoraInfo]

class Server:
    def handle_metrics(self) -> str: ...
    listening_address: str
    def __init__(self, params: CommonParams) -> None: ...
