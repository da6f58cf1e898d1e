"""Decide for whom the pages of the set-up exist.

While nobody has set the installation up, that is a browser whose session has the key; afterwards
it is every administrator. Whoever comes late with the right key sees one page, which says so.
"""

from __future__ import annotations

from django.http import HttpRequest

from inboxes.models import Agent
from inboxes.sign_in import throttle
from messaging.setup import key

SESSION_KEY = "setup_key"
LONGEST_KEY = 200
# One request is asked several times, and counts once.
_GAVE_KEY = "partyline.gave_setup_key"


def may_see(request: HttpRequest) -> bool:
    return is_administrator(request) or has_key(request)


def may_open(request: HttpRequest) -> bool:
    """Return True for an address with the right key, too."""
    return gave_key(request) or may_see(request)


def is_administrator(request: HttpRequest) -> bool:
    agent = request.user
    return isinstance(agent, Agent) and agent.is_active and agent.is_staff


def gave_key(request: HttpRequest) -> bool:
    """Return True if the address holds this installation's key.

    Wrong keys are counted like wrong passwords. From whoever guessed too often no key is taken for
    a while, and they see no difference.
    """
    known = request.META.get(_GAVE_KEY)
    if known is None:
        known = request.META[_GAVE_KEY] = _is_right_key(request)
    return bool(known)


def _is_right_key(request: HttpRequest) -> bool:
    given = request.GET.get("key", "")
    if not 0 < len(given) <= LONGEST_KEY:
        return False
    try:
        return bool(
            throttle.check_guess(
                lambda: key.is_our_key(key.hash_key(given)) or None,
                request=request,
                of=throttle.setup_key(),
            )
        )
    except throttle.TooManyGuesses:
        return False


def keep_key(request: HttpRequest) -> None:
    """Let this session go on without the key in its address."""
    request.session.cycle_key()
    request.session[SESSION_KEY] = key.hash_key(request.GET["key"])


def has_key(request: HttpRequest) -> bool:
    kept = request.session.get(SESSION_KEY)
    return isinstance(kept, str) and key.is_our_key(kept)


def forget_key(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)
