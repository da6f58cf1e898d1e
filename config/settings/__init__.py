"""Partyline's settings, by noun. What differs between two houses comes from the environment."""

import django_stubs_ext

from config.settings.applications import *
from config.settings.database import *
from config.settings.house import *
from config.settings.logs import *
from config.settings.secrets import *
from config.settings.security import *

# Django's generic classes take their type arguments at run time too.
django_stubs_ext.monkeypatch()
