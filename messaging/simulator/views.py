"""Show the handset: text as any external number, and see what arrives."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from inboxes.access import hide_unless
from inboxes.requests import HtmxRequest
from inboxes.responses import fragment_or_redirect
from messaging.attachments.serving import inert_response
from messaging.attachments.sniffing import GENERIC
from messaging.attachments.storing import load_bytes
from messaging.simulator import access
from messaging.simulator.forms import FarEndForm, FromForm, HandsetForm, simulated_numbers
from messaging.simulator.models import FarEnd, File, Text
from messaging.simulator.outside import Unreachable, text_in

FIRST_HANDSET = "+12025550177"
SHOWN = 50


@hide_unless(access.may_use)
@require_safe
def handset(request: HttpRequest) -> HttpResponse:
    """Show the page of the number in `?from=`."""
    sender = _sender(request.GET.get("from", FIRST_HANDSET)) or FIRST_HANDSET
    form = HandsetForm(initial={"sender": sender, "number": request.GET.get("to")})
    return _page(request, sender, form, is_sent=request.GET.get("sent") == "1")


@hide_unless(access.may_use)
@require_safe
def received(request: HttpRequest) -> HttpResponse:
    """Return the texts of the number as fragments, or 204 if the page shows them already."""
    sender = _sender(request.GET.get("sender", ""))
    context = _received(sender) | {"is_news": True}
    if request.GET.get("shown") == context["shown"]:
        return HttpResponse(status=204)
    return render(request, "simulator/_received.html", context)


@hide_unless(access.may_use)
@require_POST
def send(request: HtmxRequest) -> HttpResponse:
    """Text one of our numbers, by a webhook over HTTP as a carrier does."""
    form = HandsetForm(request.POST, request.FILES)
    is_sent = False
    if form.is_valid():
        try:
            text_in(
                sender=form.cleaned_data["sender"],
                number=simulated_numbers().get(pk=form.cleaned_data["number"]),
                text=form.cleaned_data["text"],
                files=[upload.read() for upload in form.cleaned_data["pictures"]],
            )
            is_sent = True
        except Unreachable as error:
            form.add_error(None, str(error))
    sender = _sender(request.POST.get("sender", ""))
    if is_sent:
        number = form.cleaned_data["number"]
        if not request.htmx:
            query = urlencode({"from": sender, "to": number, "sent": 1})
            return redirect(f"{reverse('simulator:handset')}?{query}")
        form = HandsetForm(initial={"sender": sender, "number": number})
    if request.htmx:
        context = {"form": form, "is_sent": is_sent, "now": timezone.now()}
        return render(
            request, "simulator/_phone_form.html", context, status=200 if is_sent else 422
        )
    return _page(request, sender, form, status=422)


@hide_unless(access.may_fetch_file)
@require_safe
def file(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Serve a picture to look at, or any other file to save."""
    found = get_object_or_404(File, token=token)
    if found.is_picture:
        return inert_response(load_bytes(found.stored_name), found.content_type)
    return inert_response(load_bytes(found.stored_name), GENERIC, save_as=f"file-{found.pk}")


@hide_unless(access.may_use)
@require_POST
def behave(request: HtmxRequest) -> HttpResponse:
    """Set how the far end answers from now on."""
    form = FarEndForm(request.POST)
    if form.is_valid():
        FarEnd.objects.filter(pk=FarEnd.current().pk).update(**form.cleaned_data)
    context = {"far_end": form, "is_saved": form.is_valid()}
    return fragment_or_redirect(request, "simulator/_far_end.html", context, "simulator:handset")


def _page(
    request: HttpRequest,
    sender: str,
    form: HandsetForm,
    *,
    is_sent: bool = False,
    status: int = 200,
) -> HttpResponse:
    far_end = FarEndForm.shown()
    context = {
        "form": form,
        "is_sent": is_sent,
        "far_end": far_end,
        "now": timezone.now(),
        "site": "Partyline demo" if settings.DEMO else "Partyline simulator",
    }
    page = "simulator/handset.html"
    return render(request, page, context | _received(sender), status=status)


def _sender(raw: str) -> str:
    form = FromForm({"sender": raw})
    return str(form.cleaned_data["sender"]) if form.is_valid() else ""


def _received(sender: str) -> dict[str, Any]:
    """Return the newest texts of both sides, oldest first, and `shown`, which names this content.

    `place` of a text is where it stands among those of both sides.
    """
    both = Q(recipient=sender) | Q(sender=sender)
    texts = Text.objects.filter(both).prefetch_related("files").order_by("-pk")[:SHOWN][::-1]
    placed = list(enumerate(texts, start=1))
    files = sum(len(text.files.all()) for text in texts)
    return {
        "sender": sender,
        "received": [(place, text) for place, text in placed if text.recipient == sender],
        "sent": [(place, text) for place, text in placed if text.recipient != sender],
        "shown": f"{sender} {texts[-1].pk if texts else 0} {files}",
    }
