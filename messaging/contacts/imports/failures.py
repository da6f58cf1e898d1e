"""Stop an import that fails again and again, by an error that nobody expected.

What it has written is taken back, so that others can import into the inbox.
"""

from __future__ import annotations

import logging
import traceback

from django.db import transaction
from django.utils import timezone

from messaging.models import ContactImport
from messaging.stream import jobs

log = logging.getLogger(__name__)

State = ContactImport.State

MOST = 5  # failures in a row
STOPPED = (
    "Something went wrong while the contacts were saved, also when it was tried again. Nothing of "
    "this file was saved. Import it once more; if that stops too, tell your administrator, who "
    "finds more in the log."
)
NOT_TAKEN_BACK = (
    "Something went wrong, and some contacts of this file could not be taken back. Tell your "
    "administrator, who finds more in the log, before you import it again."
)


@transaction.atomic
def note_failure(import_id: int, state: str) -> None:
    """Count a failure in this state, and stop the import if it was one too many.

    What can't be written is tried again at once. What can't be taken back is woken later, because
    there is nothing else that could be done about it.
    """
    rows = ContactImport.objects.select_for_update(of=("self",))
    one = rows.filter(pk=import_id, state=state).first()
    if one is None:  # cancelled meanwhile
        return
    one.failures += 1
    is_last = one.failures >= MOST
    if is_last:
        one.failures = 0
    if is_last and state == State.IMPORTING:
        one.state, one.reason = State.CANCELLING, STOPPED
    elif is_last:
        one.state, one.reason, one.finished_at = State.FAILED, NOT_TAKEN_BACK, timezone.now()
    one.save(update_fields=["failures", "state", "reason", "finished_at"])
    if state == State.IMPORTING:
        jobs.defer_import(one.pk)
    if is_last:
        log.error("Import %s failed %s times and is %s.", one.pk, MOST, one.state)


def log_failure(one: ContactImport, error: Exception) -> None:
    """Log where it happened, without the error's words: they may repeat the file's."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error(
        "Import %s, %s, failed: %s in %s, line %s.",
        one.pk, one.state, type(error).__name__, place.filename, place.lineno,
    )  # fmt: skip
