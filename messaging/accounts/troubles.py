"""Say to administrators what went wrong at a carrier, and what to do."""

from __future__ import annotations

from messaging.carriers import numbers, results


class NotPossible(Exception):
    """The carrier's API cannot list or route numbers: a person does it in its console."""


def explain(trouble: numbers.Trouble | numbers.NotThere, label: str) -> str:
    """Return a sentence or two. What the carrier itself says may be in it: not for logs. Whether
    something was changed is the caller's to say."""
    match trouble:
        case results.AuthFailed():
            return f"{label} doesn't accept the stored secrets. Check them on the account's page."
        case results.Forbidden(permission=permission):
            return (
                f"{label} doesn't let this login do that: it lacks the permission for "
                f"{permission}."
            )
        case results.RateLimited(retry_after=seconds):
            return f"{label} asks us to wait{_wait(seconds)}."
        case results.CannotTell(detail=detail):
            return f"{label} can't be asked just now: {detail}."
        case results.OutcomeUnknown(detail=detail):
            return f"It isn't clear whether {label} made the change: {detail}."
        case results.Refused(words=words, detail=detail):
            return f"{label} refused: {words or detail}"
        case numbers.NotThere():
            return f"{label} doesn't know this number in the account any more."


def is_of_account(trouble: object) -> bool:
    """Return True if the trouble would meet every other number of the account as well."""
    kinds = (results.AuthFailed, results.Forbidden, results.RateLimited, results.CannotTell)
    return isinstance(trouble, kinds)


def in_logs(trouble: numbers.Trouble | numbers.NotThere) -> str:
    """Return what a log or a stored line may say: our own words."""
    return getattr(trouble, "detail", "") or type(trouble).__name__


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return (
        f" for {round(seconds)} seconds" if seconds < 90 else f" for {round(seconds / 60)} minutes"
    )
