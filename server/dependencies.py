"""What routes ask for: the application and the person behind the request.

Coroutines, although nothing here waits: FastAPI would send plain functions to a thread, for each request.
"""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from agent.state import DEFAULT_OWNER
from server.application import Application


async def get_application(request: Request) -> Application:
    """The running application."""
    return cast(Application, request.app.state.application)


async def get_owner() -> str:
    """Who asks. With auth off there is one local user."""
    return DEFAULT_OWNER


App = Annotated[Application, Depends(get_application)]
Owner = Annotated[str, Depends(get_owner)]
