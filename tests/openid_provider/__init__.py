"""An OpenID provider for tests: django-oauth-toolkit, served by a process of its own.

`python -m tests.openid_provider FOLDER` keeps its database and its key in FOLDER and prints
"listening on PORT". It signs people in by name, with any of the people of `people.py`, and tells
the truth about them unless FOLDER/claims.json holds other claims for the ID token, or
FOLDER/userinfo.json other ones for the user: an object by claim; null leaves a claim out.
"""
