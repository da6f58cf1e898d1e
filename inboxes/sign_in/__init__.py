"""Signing in, on django-allauth: its adapters, forms and views as we use them, and our limits."""
