"""Partyline's settings, by subject. What differs by installation comes from the environment."""

import django_stubs_ext

from config.settings.applications import *
from config.settings.company import *
from config.settings.database import *
from config.settings.email import *
from config.settings.installation import *
from config.settings.logs import *
from config.settings.secrets import *
from config.settings.security import *
from config.settings.sign_in import *

# Django's generic classes take their type arguments at run time too.
django_stubs_ext.monkeypatch()
