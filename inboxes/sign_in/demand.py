"""Decide who has to sign in with two steps, and what their session still lacks."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from inboxes.models import Agent, SignInSettings

TwoStep = SignInSettings.TwoStep
View = TypeVar("View", bound=Callable[..., Any])
AUTHENTICATION_USER_SESSION_KEY = f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"
# From the mildest to the strictest.
ORDER = [TwoStep.NOBODY, TwoStep.ADMINISTRATORS, TwoStep.EVERYBODY]


class Lack(Enum):
    """Name what somebody who has signed in lacks, before they may see any page."""

    STEP = "step"  # They have a second factor, and have not given it in this session.
    FACTOR = "factor"  # They have none yet.


def demanded_two_step() -> TwoStep:
    """Return who needs a second step: the stricter of the environment's and the installation's."""
    chosen = SignInSettings.objects.values_list("two_step", flat=True).first()
    return _stricter(chosen or TwoStep.NOBODY)


def choices_of_two_step() -> list[TwoStep]:
    """Return what the installation may choose: all that is as strict as the environment."""
    return ORDER[ORDER.index(TwoStep(settings.TWO_STEP_SIGN_IN)) :]


def with_demand(agents: QuerySet[Agent]) -> QuerySet[Agent]:
    """Add to each agent what `lacking` needs, so that it makes no queries of its own."""
    return agents.annotate(
        chosen_two_step=Coalesce(
            Subquery(SignInSettings.objects.values("two_step")[:1]), Value(TwoStep.NOBODY)
        ),
        has_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))),
    )


def is_demanded_of(agent: Agent) -> bool:
    """Return True if the agent needs a second step."""
    chosen = getattr(agent, "chosen_two_step", None)
    demanded = demanded_two_step() if chosen is None else _stricter(chosen)
    return demanded == TwoStep.EVERYBODY or (demanded == TwoStep.ADMINISTRATORS and agent.is_staff)


def has_second_factor(agent: Agent) -> bool:
    """Return True for an agent with an authenticator app, a passkey or recovery codes."""
    known: bool | None = getattr(agent, "has_factor", None)
    return Authenticator.objects.filter(user=agent).exists() if known is None else known


def gave_second_factor(agent: Agent, session: Any) -> bool:
    """Return True if the agent gave a second factor in this session, signed in by passkey, or with
    a company that asks for two steps itself."""
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY)
    is_theirs = session.get(AUTHENTICATION_USER_SESSION_KEY) == str(agent.pk)
    if not is_theirs or not isinstance(records, list):
        return False
    enough = ("mfa", "socialaccount") if settings.OIDC_TWO_STEPS else ("mfa",)
    return any(isinstance(record, dict) and record.get("method") in enough for record in records)


def lacking(agent: Agent, session: Any) -> Lack | None:
    """Return what the agent has to give or to set up first, or None for nothing."""
    if gave_second_factor(agent, session) or not is_demanded_of(agent):
        return None
    return Lack.STEP if has_second_factor(agent) else Lack.FACTOR


def _stricter(chosen: str) -> TwoStep:
    return max(TwoStep(settings.TWO_STEP_SIGN_IN), TwoStep(chosen), key=ORDER.index)


def sets_up_second_step(view: View) -> View:
    """Let somebody who has to set up a second step reach the page where they do so."""
    view.sets_up_second_step = True  # type: ignore[attr-defined]
    return view
