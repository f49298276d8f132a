"""What routes ask for: the application and the person behind the request.

Coroutines, although nothing here waits: FastAPI would send plain functions to a thread, for each request.
"""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from server.access.callers import AuthenticationError, Caller
from server.application import Application


async def get_application(request: Request) -> Application:
    """The running application."""
    return cast(Application, request.app.state.application)


App = Annotated[Application, Depends(get_application)]


async def get_visitor(request: Request) -> Caller | None:
    """Who asks, as the gate found out; None for a stranger on an open route."""
    return cast("Caller | None", request.state.caller)


Visitor = Annotated[Caller | None, Depends(get_visitor)]


async def get_owner(visitor: Visitor) -> str:
    """Whose things the request is about. Nothing that a client writes into it can say otherwise."""
    return _known(visitor).owner


Owner = Annotated[str, Depends(get_owner)]


async def get_spender(app: App, visitor: Visitor) -> Caller:
    """Who asks for something that a model works on.

    Raises:
        BudgetError: the caller has spent what they may.
    """
    caller = _known(visitor)
    await app.access.budgets.check(caller)
    return caller


Spender = Annotated[Caller, Depends(get_spender)]


def _known(visitor: Caller | None) -> Caller:
    if visitor is None:
        raise AuthenticationError("This needs an API key.", code="missing_key")
    return visitor
