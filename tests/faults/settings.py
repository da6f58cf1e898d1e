"""Use the product's settings, with the far end in place of Twilio."""

import os

from config.settings import *  # noqa: F403 - all settings

TWILIO_API_URL = os.environ["TWILIO_API_URL"]
PUSH_ANYWHERE = True  # push services of this machine, too
