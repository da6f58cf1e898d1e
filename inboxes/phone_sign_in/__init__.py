"""Signing in a phone by a QR code that an open session shows. The reasons for its steps are in
docs/decisions/0021-a-new-phone.md."""
