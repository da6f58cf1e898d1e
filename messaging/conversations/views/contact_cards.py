"""Contact cards that came in: whom they describe, and saving them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from inboxes.integers import read_integer
from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.describing import ContactValues
from messaging.contacts.vcards import (
    Card,
    CardNumber,
    NotSavable,
    fill_gaps,
    read_cards,
    save_card,
)
from messaging.conversations.lists import remembered_list
from messaging.conversations.views.attachments import load_or_404
from messaging.conversations.views.panes import render_pane
from messaging.models import Attachment
from messaging.stream.access import get_attachment
from threads.models import Contact

TYPE = "text/vcard"


class SaveForm(forms.Form):
    """Read which number of which card is saved, such as 0-1; both are counted from 0."""

    pick = forms.CharField(max_length=16)

    def clean_pick(self) -> tuple[int, int]:
        card, _, number = map(read_integer, self.cleaned_data["pick"].partition("-"))
        if card is None or number is None:
            raise ValidationError("There is no such number.")
        return card, number


@dataclass(frozen=True, slots=True)
class NumberLine:
    """Hold what the bubble shows of a number; `contact` is who has it in the inbox, if anybody."""

    number: CardNumber
    index: int
    contact: Contact | None
    adds: bool  # True if the card says something of them that isn't known


@dataclass(frozen=True, slots=True)
class CardView:
    card: Card
    index: int
    lines: list[NumberLine]


@require_safe
@login_required
def show_cards(request: HtmxRequest, attachment_id: int) -> HttpResponse:
    """Show whom an inbound contact card describes, in its bubble or as a pane."""
    agent = signed_in_agent(request)
    file = _get_card_file(agent, attachment_id)
    return _render(request, agent, file, read_cards(load_or_404(file.stored_name)))


@require_POST
@login_required
def save_contact(request: HtmxRequest, attachment_id: int) -> HttpResponse:
    """Save one number of a card as a contact of the conversation's inbox."""
    agent = signed_in_agent(request)
    file = _get_card_file(agent, attachment_id)
    cards = read_cards(load_or_404(file.stored_name))
    form = SaveForm(request.POST)
    if not form.is_valid() or file.thread is None:
        raise Http404("No such number.")
    try:
        which, place = form.cleaned_data["pick"]
        card = cards[which]
        number = card.numbers[place]
    except IndexError as error:
        raise Http404("No such number.") from error
    if not number.address:
        raise Http404("It can't be texted.")
    try:
        contact = save_card(
            inbox_id=file.thread.inbox_id, card=card, address=number.address, by=agent
        )
    except NotSavable as error:
        return _render(request, agent, file, cards, problem=str(error))
    if request.htmx:
        return _render(request, agent, file, cards)
    toasts.success(request, f"{contact} was saved.")
    return redirect("messaging:cards", file.pk)


def _get_card_file(agent: Agent, attachment_id: int) -> Attachment:
    """Return a card that came in. Raises Http404."""
    file = get_attachment(agent, attachment_id)
    is_inbound = file.message is not None and file.message.is_inbound
    if not (is_inbound and file.is_ready and file.content_type == TYPE):
        raise Http404("It is no contact card.")
    return file


def _render(
    request: HtmxRequest, agent: Agent, file: Attachment, cards: list[Card], problem: str = ""
) -> HttpResponse:
    thread = file.thread
    if thread is None:
        raise Http404("It is in no conversation.")
    context: dict[str, Any] = {
        "file": file,
        "cards": _view_cards(cards, thread.inbox_id),
        "problem": problem,
    }
    if request.htmx:
        return render(request, "messaging/conversation/_cards.html", context)
    return render_pane(
        request,
        "messaging/conversation/_cards_pane.html",
        listing=remembered_list(agent, thread.inbox),
        title="Contact card",
        thread=thread,
        **context,
    )


def _view_cards(cards: list[Card], inbox_id: int) -> list[CardView]:
    wanted = [number.address for card in cards for number in card.numbers if number.address]
    known = {
        one.address: one for one in Contact.objects.filter(inbox=inbox_id, address__in=wanted)
    }
    return [
        CardView(
            card,
            index,
            [
                _view_number(card, number, place, known.get(number.address))
                for place, number in enumerate(card.numbers)
            ],
        )
        for index, card in enumerate(cards)
    ]


def _view_number(
    card: Card, number: CardNumber, index: int, contact: Contact | None
) -> NumberLine:
    adds = contact is not None and fill_gaps(contact, card) != ContactValues.of(contact)
    return NumberLine(number, index, contact, adds)
