from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from tests.bench.floor.consumers import GROUP
from tests.bench.floor.models import Line


@csrf_exempt
@require_POST
def insert(request: HttpRequest) -> HttpResponse:
    """One INSERT, and done."""
    Line(body=request.body).save(force_insert=True)
    return HttpResponse(b"<Response/>", content_type="text/xml")


@csrf_exempt
@require_POST
def tell(request: HttpRequest) -> HttpResponse:
    """One INSERT, and all sockets of the group hear the body."""
    Line(body=request.body).save(force_insert=True)
    said = {"type": "floor.said", "text": request.body.decode()}
    async_to_sync(get_channel_layer().group_send)(GROUP, said)
    return HttpResponse(status=204)


@require_GET
def count_queries(request: HttpRequest, path: str) -> HttpResponse:
    """How many statements a page of the product asks the database, its signing in included."""
    statements: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    match = resolve(f"/{path}")
    with connection.execute_wrapper(count):
        answer = match.func(request, *match.args, **match.kwargs)
    return JsonResponse({"status": answer.status_code, "queries": len(statements)})
