"""The pages on which agents manage saved replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from inboxes.models import Inbox
from inboxes.requests import signed_in_agent
from messaging.attachments.drafts import MAX_FILES, FileRefused
from messaging.attachments.fetching import MAX_FILE_SIZE
from messaging.attachments.serving import inert_response
from messaging.attachments.sniffing import GENERIC, file_extension
from messaging.conversations.reply_forms import NewReplyQuery, ReplyForm, ReplySearchForm
from messaging.conversations.reply_list import list_groups, shareable_inboxes
from messaging.conversations.views.attachments import load_or_404
from messaging.models import SavedReply
from messaging.replies import actions, placeholders
from messaging.replies.access import get_reply, get_reply_file
from messaging.replies.files import store_uploads

GONE = (
    "This reply isn't there any more; a colleague may have deleted it. Save to add what you wrote "
    "as a new one."
)
CHANGED = (
    "A colleague changed this while you were editing. Here's their version; saving replaces it "
    "with yours."
)

REFUSALS = (actions.NameTaken, actions.TooManyReplies, FileRefused)
# Beside which field a refusal stands.
FIELDS: dict[type[Exception], str] = {
    actions.NameTaken: "name",
    actions.TooManyReplies: "owner",
    FileRefused: "removed",
}


@require_safe
@login_required
def list_replies(request: HttpRequest) -> HttpResponse:
    """List the replies of the agent's inboxes and the agent's own, or those that are found."""
    form = ReplySearchForm(request.GET)
    asked = form.cleaned_data["q"].strip() if form.is_valid() else ""
    groups = list_groups(signed_in_agent(request), asked)
    context = {"page_title": "Saved replies", "groups": groups, "asked": asked}
    return render(request, "messaging/replies/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_reply(request: HttpRequest) -> HttpResponse:
    agent = signed_in_agent(request)
    inboxes = shareable_inboxes(agent)
    if request.method != "POST":
        query = NewReplyQuery(request.GET)
        inbox_id = query.cleaned_data["inbox"] if query.is_valid() else -1
        if inbox_id and inbox_id not in [inbox.pk for inbox in inboxes]:
            raise Http404("No such inbox.")
        owner = str(inbox_id or ReplyForm.MINE)
        return _render_form(request, ReplyForm(initial={"owner": owner}, inboxes=inboxes))
    uploads = _uploads(request)
    form = ReplyForm(request.POST, inboxes=inboxes, has_files=bool(uploads))
    if not form.is_valid():
        return _render_form(request, form)
    try:
        reply = actions.create_reply(
            inbox=form.inbox,
            agent=agent,
            name=form.cleaned_data["name"],
            body=form.cleaned_data["body"],
            files=store_uploads(uploads),
        )
    except REFUSALS as error:
        form.add_error(FIELDS[type(error)], str(error))
        return _render_form(request, form)
    return _redirect_saved(request, reply)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change_reply(request: HttpRequest, reply_id: int) -> HttpResponse:
    """Show or save a reply: its name, text, owner and files."""
    agent = signed_in_agent(request)
    inboxes = shareable_inboxes(agent)
    try:
        reply = get_reply(agent, reply_id)
    except Http404:
        if "body" not in request.POST:
            raise
        return _offer_anew(request, inboxes)
    if request.method != "POST":
        return _render_form(request, ReplyForm(initial=_initial(reply), inboxes=inboxes), reply)
    form = ReplyForm(request.POST, inboxes=inboxes, has_files=_keeps_files(request, reply))
    if not form.is_valid():
        return _render_form(request, form, reply)
    try:
        reply = actions.change_reply(
            reply=reply,
            inbox=form.inbox,
            agent=agent,
            name=form.cleaned_data["name"],
            body=form.cleaned_data["body"],
            version=form.cleaned_data["version"] or 0,
            files=store_uploads(_uploads(request)),
            removed=form.cleaned_data["removed"],
        )
    except actions.ChangedMeanwhile as error:
        return _render_form(request, form, error.reply, is_changed=True)
    except actions.ReplyGone:
        return _offer_anew(request, inboxes)
    except REFUSALS as error:
        form.add_error(FIELDS[type(error)], str(error))
        return _render_form(request, form, reply)
    return _redirect_saved(request, reply)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_reply(request: HttpRequest, reply_id: int) -> HttpResponse:
    """Ask whether to delete a reply, and delete it."""
    reply = get_reply(signed_in_agent(request), reply_id)
    if request.method == "POST":
        actions.delete_reply(reply=reply)
        toasts.info(request, f"/{reply.name} deleted.")
        return redirect("messaging:replies")
    context = {"page_title": f"Delete /{reply.name}", "reply": reply}
    return render(request, "messaging/replies/delete.html", context)


@require_safe
@login_required
def serve_reply_file(request: HttpRequest, file_id: int) -> HttpResponse:
    """Serve a picture to look at, or any other file to save."""
    file = get_reply_file(signed_in_agent(request), file_id)
    data = load_or_404(file.stored_name)
    if file.is_picture:
        return inert_response(data, file.content_type)
    name = file.name or f"file-{file.pk}.{file_extension(file.content_type)}"
    return inert_response(data, GENERIC, save_as=name)


@require_safe
@login_required
def serve_reply_thumbnail(request: HttpRequest, file_id: int) -> HttpResponse:
    file = get_reply_file(signed_in_agent(request), file_id)
    if not file.thumbnail_name:
        raise Http404("It has none.")
    return inert_response(load_or_404(file.thumbnail_name), "image/webp")


def _redirect_saved(request: HttpRequest, reply: SavedReply) -> HttpResponse:
    toasts.info(request, f"/{reply.name} saved.")
    return redirect("messaging:replies")


def _offer_anew(request: HttpRequest, inboxes: Sequence[Inbox]) -> HttpResponse:
    """Show what was written for a reply that is gone, or never was the agent's: nobody can tell
    which."""
    form = ReplyForm(request.POST, inboxes=inboxes, has_files=True)
    return _render_form(request, form, is_gone=True)


def _uploads(request: HttpRequest) -> list[UploadedFile[Any]]:
    return request.FILES.getlist("files")


def _keeps_files(request: HttpRequest, reply: SavedReply) -> bool:
    removed = set(request.POST.getlist("removed"))
    kept = {str(key) for key in reply.files.values_list("pk", flat=True)} - removed
    return bool(kept or _uploads(request))


def _initial(reply: SavedReply) -> dict[str, str]:
    owner = str(reply.inbox_id or ReplyForm.MINE)
    return {"name": reply.name, "body": reply.body, "owner": owner}


def _render_form(
    request: HttpRequest,
    form: ReplyForm,
    reply: SavedReply | None = None,
    *,
    is_changed: bool = False,
    is_gone: bool = False,
) -> HttpResponse:
    removed = form["removed"].value() or []
    files = reply.files.order_by("pk") if reply else []
    context = {
        "page_title": f"Change /{reply.name}" if reply else "New saved reply",
        "form": form,
        "reply": reply,
        "changed": CHANGED if is_changed else "",
        "gone": GONE if is_gone else "",
        "files": [(file, str(file.pk) in map(str, removed)) for file in files],
        "placeholders": [f"{{{name}}}" for name in placeholders.NAMES],
        "most_files": MAX_FILES,
        "largest_mb": MAX_FILE_SIZE // 2**20,
        "loses_files": form.is_bound and bool(_uploads(request)),
        "first": next(iter(form.errors), "" if reply else "name"),
    }
    status = 404 if is_gone else 422 if form.is_bound else 200
    return render(request, "messaging/replies/form.html", context, status=status)
