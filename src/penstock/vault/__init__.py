"""The user's secrets: where they are kept, and how they are read without showing them."""
