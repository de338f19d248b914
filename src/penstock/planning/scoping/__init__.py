"""Which files a task of a plan is about, each guess with its evidence."""
