"""Collecting the static files, only when they changed."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_when_changed() -> bool:
    """True where something was collected."""
    if not settings.STATIC_HASHED:
        return False
    stamp = settings.DATA_DIR / "static.stamp"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and settings.STATIC_ROOT.exists():
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)
    return True


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            when = storage.get_modified_time(path).timestamp()
            digest.update(f"{path}\0{storage.size(path)}\0{when}\n".encode())
    return digest.hexdigest()
