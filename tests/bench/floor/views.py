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
from tests.bench.floor.models import Row


@csrf_exempt
@require_POST
def insert_row(request: HttpRequest) -> HttpResponse:
    """Do one INSERT."""
    Row(body=request.body).save(force_insert=True)
    return HttpResponse(b"<Response/>", content_type="text/xml")


@csrf_exempt
@require_POST
def broadcast(request: HttpRequest) -> HttpResponse:
    """Do one INSERT, and send the body to all sockets of the group."""
    Row(body=request.body).save(force_insert=True)
    event = {"type": "floor.text", "text": request.body.decode()}
    async_to_sync(get_channel_layer().group_send)(GROUP, event)
    return HttpResponse(status=204)


@require_GET
def count_queries(request: HttpRequest, path: str) -> HttpResponse:
    """Return the number of statements that a page of the product runs, signing in included."""
    statements: list[str] = []

    def record_statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    match = resolve(f"/{path}")
    with connection.execute_wrapper(record_statement):
        answer = match.func(request, *match.args, **match.kwargs)
    return JsonResponse({"status": answer.status_code, "queries": len(statements)})
