"""Attachments: added to a composer, shown to members, handed to carriers.

Only a picture that we encoded ourselves is shown in a page; anything else can only be saved.
"""

from __future__ import annotations

import contextlib

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import fragment_or_redirect, unprocessable_text
from messaging.attachments import links, storing
from messaging.attachments.drafts import FileRefused, add_file, remove_file
from messaging.attachments.inbound import fetch_again
from messaging.attachments.serving import inert_response
from messaging.attachments.sniffing import GENERIC, file_extension, sniff_type
from messaging.conversations.drafts import FormWasSent, update_draft
from messaging.conversations.entries import Entry
from messaging.conversations.forms import DraftForm
from messaging.models import Attachment
from messaging.stream.access import get_attachment, get_message
from threads.access import get_thread


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def list_or_add_files(request: HttpRequest, thread_id: int) -> HttpResponse:
    """List the files in the agent's composer; a POST adds one."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    if request.method != "POST":
        files = Attachment.objects.drafted(thread, agent)
        return render(request, "messaging/composer/_draft_files.html", {"files": files})
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        return unprocessable_text("Choose a file.")
    try:
        attachment = add_file(thread=thread, agent=agent, upload=upload)
    except FileRefused as error:
        return unprocessable_text(str(error))
    return render(request, "messaging/composer/_draft_file.html", {"file": attachment}, status=201)


@require_POST
@login_required
def remove_attachment(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """Take a file out of the composer. Without scripts the draft comes along, and is kept."""
    agent = signed_in_agent(request)
    attachment = get_attachment(agent, attachment_id)
    if attachment.message_id is not None or attachment.scheduled_text_id is not None:
        raise Http404("It was sent or scheduled.")
    remove_file(attachment=attachment)
    form = DraftForm(request.POST)
    if attachment.thread is None or not form.is_valid():
        return HttpResponse(status=204)
    with contextlib.suppress(FormWasSent):
        update_draft(
            thread=attachment.thread,
            agent=agent,
            body=form.cleaned_data["body"],
            is_internal=form.cleaned_data["is_internal"] and not attachment.thread.is_personal,
            form_key=form.cleaned_data["form_key"],
        )
    return redirect("messaging:conversation", attachment.thread_id)


@require_safe
@login_required
def serve_attachment(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """Serve a picture to look at, or any other file to save."""
    found = get_attachment(signed_in_agent(request), attachment_id)
    if not found.is_ready:
        raise Http404("It is not here.")
    data = load_or_404(found.stored_name)
    if found.is_picture:
        return inert_response(data, found.content_type)
    # A file that came before more types were known is looked at again.
    kind = sniff_type(data) if found.content_type == GENERIC else found.content_type
    name = found.name or f"file-{found.pk}.{file_extension(kind)}"
    return inert_response(data, GENERIC, save_as=name)


@require_safe
@login_required
def serve_thumbnail(request: HttpRequest, attachment_id: int) -> HttpResponse:
    found = get_attachment(signed_in_agent(request), attachment_id)
    if not found.thumbnail_name:
        raise Http404("It has none.")
    return inert_response(load_or_404(found.thumbnail_name), "image/webp")


@require_POST
@login_required
def refetch_attachment(request: HtmxRequest, attachment_id: int) -> HttpResponse:
    """Try again to fetch an attachment from the carrier."""
    agent = signed_in_agent(request)
    found = get_attachment(agent, attachment_id)
    if found.message_id is None:
        raise Http404("It came from nowhere else.")
    fetch_again(attachment=found)
    message = get_message(agent, found.message_id)
    return fragment_or_redirect(
        request,
        "messaging/conversation/_message.html",
        {"entry": Entry.for_agent(message, agent)},
        "messaging:conversation",
        message.thread_id,
    )


@require_safe
def serve_public_file(request: HttpRequest, signed: str, name: str) -> HttpResponse:
    """Serve one file of one attempt to a carrier while the link is valid; nobody is signed in
    here.

    The name is for carriers that look at its extension; it decides nothing.
    """
    link = links.find_link(signed)
    if link is None:
        raise Http404("No such file.")
    data = load_or_404(link.stored_name or link.attachment.stored_name)
    response = inert_response(data, link.content_type, save_as=name)
    response["Cache-Control"] = "private, no-store"
    return response


def load_or_404(name: str) -> bytes:
    try:
        return storing.load_bytes(name)
    except FileNotFoundError as error:
        raise Http404("It is gone.") from error
