"""Agents, inboxes, memberships, and links by which people get in."""

from inboxes.models.agents import Agent
from inboxes.models.inboxes import ClosedDay, Inbox, LastMessage
from inboxes.models.memberships import Membership, MembershipChange
from inboxes.models.one_time_links import OneTimeLink
from inboxes.models.phone_sign_ins import PhoneSignIn
from inboxes.models.sign_in import SignInFailure, SignInSettings

__all__ = [
    "Agent",
    "ClosedDay",
    "Inbox",
    "LastMessage",
    "Membership",
    "MembershipChange",
    "OneTimeLink",
    "PhoneSignIn",
    "SignInFailure",
    "SignInSettings",
]
