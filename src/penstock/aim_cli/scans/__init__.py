"""The subcommands of `aim scan`, a module each."""
