"""The cluster of deploy/cluster with a supervisor that starts again what ends, as systemd does."""
