"""What an inbox knows of its contacts, and what its members do with them."""
