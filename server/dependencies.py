"""What routes ask for: the application and the person behind the request."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from agent.state import DEFAULT_OWNER
from server.application import Application


def get_application(request: Request) -> Application:
    """The running application."""
    return cast(Application, request.app.state.application)


def get_owner() -> str:
    """Who asks. With auth off there is one local user."""
    return DEFAULT_OWNER


App = Annotated[Application, Depends(get_application)]
Owner = Annotated[str, Depends(get_owner)]
