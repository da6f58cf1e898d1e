"""The product's settings, with the far end in Twilio's place."""

import os

from config.settings import *  # noqa: F403 - all of them

TWILIO_API_URL = os.environ["TWILIO_API_URL"]
PUSH_ANYWHERE = True  # push services of this machine, too
