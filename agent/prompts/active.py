"""The prompts that new runs use; a rollback is picked up while the server runs."""

from __future__ import annotations

import asyncio
import logging

from agent.prompts import Prompt
from agent.prompts.registry import PromptError, PromptRegistry

_log = logging.getLogger(__name__)


class ActivePrompts:
    """Follows the registry's file. A choice that cannot be used is refused, and the prompts before stay in use."""

    def __init__(self, registry: PromptRegistry) -> None:
        """Read the choices. Blocks.

        Raises:
            PromptError: the registry's file is not readable, or names what does not exist.
        """
        self._registry = registry
        self._seen = self._file_state()
        self._in_use = registry.in_use()

    async def get(self, name: str) -> Prompt:
        """The version in use of a prompt.

        Raises:
            KeyError: there is no prompt of that name.
        """
        # Taken before the file is read: what changes in between is noticed the next time.
        state = await asyncio.to_thread(self._file_state)
        if state != self._seen:
            await self._reload()
            self._seen = state
        return self._in_use[name]

    async def _reload(self) -> None:
        try:
            fresh = await asyncio.to_thread(self._registry.in_use)
        except PromptError as error:
            _log.error("prompts refused, the ones before stay in use: %s", error.message)
            return
        for name, prompt in fresh.items():
            if prompt != self._in_use[name]:
                _log.info("%s is in use, after %s", prompt.id, self._in_use[name].id)
        self._in_use = fresh

    def _file_state(self) -> tuple[int, int] | None:
        try:
            found = self._registry.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
