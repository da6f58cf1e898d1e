"""Contacts, their threads, and each agent's own state in a thread."""

from threads.models.contacts import Contact
from threads.models.states import ThreadState
from threads.models.threads import Choice, Thread

__all__ = ["Choice", "Contact", "Thread", "ThreadState"]
