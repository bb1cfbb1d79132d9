"""The application: the guard in front, the routes behind it, every error in one envelope, and the OpenAPI document.

Nothing is read or opened here; `ApiThread` serves what this makes.
"""

from fastapi import FastAPI

from storage.api.context import ApiContext, CaptureControl
from storage.api.description import describe
from storage.api.errors import install_error_handlers
from storage.api.guard import Guard
from storage.api.recent import RecentAnswers
from storage.api.routes import capture, contexts, events, feedback, filters, health, insights, metrics, requests, sessions
from storage.api.settings import ApiSettings
from storage.changes import ChangeReader
from storage.store import Store

PREFIX = "/api/claude"


def create_app(store: Store, settings: ApiSettings, control: CaptureControl | None = None) -> FastAPI:
    """Make the API over a store.

    Args:
        store: Where all answers come from.
        settings: Whom to answer.
        control: The running capture; `None` when there is none.
    """
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False, generate_unique_id_function=lambda route: route.name)
    context = ApiContext(store=store, settings=settings, control=control, changes=ChangeReader(store.database))
    app.state.context = context
    install_error_handlers(app)
    app.add_middleware(RecentAnswers, freshness=context, prefix=PREFIX)
    app.add_middleware(Guard, settings=settings)
    for module in (requests, contexts, metrics, insights, feedback, filters, sessions, events, capture):
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(health.router)
    describe(app)
    return app
