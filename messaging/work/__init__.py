"""A team's work on conversations: deeds with their activity, notifications and jobs."""
