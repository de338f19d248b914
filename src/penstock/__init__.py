"""penstock turns specs into isolated, checked, merged code by driving AI coding CLIs."""

__version__ = "0.1.0"
