"""The page *Your account* and what an agent may do there: name, password, two-step sign-in,
passkeys, sessions, and signing in a phone."""
