"""The index of tags in documents, and what code they belong to."""
