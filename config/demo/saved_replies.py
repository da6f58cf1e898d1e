"""The demo's saved replies."""

from __future__ import annotations

from inboxes.models import Agent, Inbox
from messaging.models import SavedReply
from messaging.replies.actions import create_reply

# The inbox's name, or none for ana's own; the reply's name and text, and how often it was used.
REPLIES = [
    (
        "Front Desk",
        "arrival",
        "We are on our way and will be with you in about 20 minutes. {me}",
        31,
    ),
    ("Front Desk", "arrival-window", "We can come between 1 and 3 PM today. Does that work?", 24),
    ("Front Desk", "arrival-late", "Running late by 30 minutes, sorry, {first name}.", 12),
    (
        "Front Desk",
        "thanks",
        "Thank you, {first name}! If anything is wrong, text us at {number}. {me}, {inbox}",
        9,
    ),
    (
        "Front Desk",
        "parts-in",
        "Hi {first name}, your part is in. When may we come and fit it?",
        5,
    ),
    ("Dispatch", "on-site", "{me} here. I'm at the door, please let me in.", 7),
    (
        "",
        "arrange-pickup",
        "Your order is ready. Pick-up is in the yard, Mon to Sat 8 to 6. Bring the order number.",
        6,
    ),
]


def write_saved_replies(agents: dict[str, Agent], inboxes: dict[str, Inbox]) -> None:
    for inbox, name, body, use_count in REPLIES:
        reply = create_reply(inbox=inboxes.get(inbox), agent=agents["ana"], name=name, body=body)
        SavedReply.objects.filter(pk=reply.pk).update(use_count=use_count)
