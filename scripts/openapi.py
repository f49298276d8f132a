"""Write the API's description to docs/openapi.json, for client generators and for review: `make docs`."""

from __future__ import annotations

import json
from pathlib import Path

from agent.settings import Settings
from server.app import create_app

TARGET = Path(__file__).parents[1] / "docs/openapi.json"


def main() -> None:
    """Write the file. Nothing is loaded or listened on."""
    text = json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False)
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
