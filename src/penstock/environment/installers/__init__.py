"""Package managers: what they have installed, and the commands that change it."""
