"""Decide who has to sign in with two steps, and what their session still lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from inboxes.models import Agent, SignInSettings
from inboxes.sign_in.records import read_records
from inboxes.sign_in.recovery_codes import has_codes_left

TwoStep = SignInSettings.TwoStep
View = TypeVar("View", bound=Callable[..., Any])
AUTHENTICATION_USER_SESSION_KEY = f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
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
        has_factor=factor_exists(),
    )


def is_demanded_of(agent: Agent) -> bool:
    """Return True if the agent needs a second step."""
    chosen = getattr(agent, "chosen_two_step", None)
    demanded = demanded_two_step() if chosen is None else _stricter(chosen)
    return demanded == TwoStep.EVERYBODY or (demanded == TwoStep.ADMINISTRATORS and agent.is_staff)


def factor_exists() -> Exists:
    """Return whether the agent of a query has a second factor, for an annotation."""
    return Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS))


def has_second_factor(agent: Agent) -> bool:
    """Return True for an agent with an authenticator app or a passkey.

    Recovery codes stand in for those. Alone they are none, since they run out: they are asked for
    while there are some, and then an app or a passkey has to be set up where one is demanded.
    """
    known: bool | None = getattr(agent, "has_factor", None)
    if known is None:
        return bool(Authenticator.objects.filter(user=agent, type__in=FACTORS).exists())
    return known


def second_steps(agent: Agent, session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records of the second steps that the agent took in this session: a factor, a
    sign-in by passkey, or one with a company that asks for two steps itself."""
    if session.get(AUTHENTICATION_USER_SESSION_KEY) != str(agent.pk):
        return []
    enough = ("mfa", "socialaccount") if settings.OIDC_TWO_STEPS else ("mfa",)
    return [record for record in read_records(session) if record.get("method") in enough]


def gave_second_factor(agent: Agent, session: Mapping[str, Any]) -> bool:
    return bool(second_steps(agent, session))


def lacking(agent: Agent, session: Mapping[str, Any]) -> Lack | None:
    """Return what the agent has to give or to set up first, or None for nothing."""
    if not is_demanded_of(agent):
        return None
    steps = second_steps(agent, session)
    if any(step.get("type") != Authenticator.Type.RECOVERY_CODES for step in steps):
        return None
    if has_second_factor(agent):
        return None if steps else Lack.STEP
    return Lack.STEP if not steps and has_codes_left(agent) else Lack.FACTOR


def _stricter(chosen: str) -> TwoStep:
    return max(TwoStep(settings.TWO_STEP_SIGN_IN), TwoStep(chosen), key=ORDER.index)


def sets_up_second_step(view: View) -> View:
    """Let somebody who has to set up a second step reach the page where they do so."""
    view.sets_up_second_step = True  # type: ignore[attr-defined]
    return view
