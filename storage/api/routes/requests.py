"""Requests and responses: the list with all its filters, one of them whole, its ledger, its raw bytes."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from storage.api.openapi import error_responses
from storage.api.schemas.common import ExchangeId

router = APIRouter(tags=["requests"])

_NOT_FOUND = error_responses(not_found="There is no such exchange.")
_Id = Annotated[ExchangeId, Path()]
_Text = Annotated[str, Field(max_length=1000)]
