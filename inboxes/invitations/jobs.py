"""Queue the e-mails of one-time links, inside the transaction that makes them necessary."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

SEND_LINK = "send_link_by_email"
SEND_LOST_PASSWORD_LINK = "send_lost_password_link"  # noqa: S105  a task's name


def defer_link_email(link_id: int, *, at: datetime | None = None) -> None:
    """Queue a job that sends the link's e-mail, not before `at`."""
    app.configure_task(SEND_LINK, schedule_at=at).defer(link_id=link_id)


def defer_lost_password_link(agent_id: int | None) -> None:
    """Queue a job that sends an agent a reset link; without an agent it does nothing.

    Nobody can tell from the time that this takes whether there is such an agent.
    """
    app.configure_task(SEND_LOST_PASSWORD_LINK).defer(agent_id=agent_id)
