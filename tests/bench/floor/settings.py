"""Use the product's settings, with the floors added."""

from config.settings import *  # noqa: F403  all of it is the point
from config.settings import INSTALLED_APPS as _PRODUCT

INSTALLED_APPS = [*_PRODUCT, "tests.bench.floor"]
ROOT_URLCONF = "tests.bench.floor.urls"
