"""The one door through which every child process is started, watched and stopped."""
