"""Contacts, their threads, the team's work on them, and each agent's own state in a thread."""

from threads.models.activity import Activity
from threads.models.contacts import Consent, Contact
from threads.models.labels import Label, ThreadLabel
from threads.models.states import ThreadState
from threads.models.threads import Thread

__all__ = ["Activity", "Consent", "Contact", "Label", "Thread", "ThreadLabel", "ThreadState"]
