"""One module a command, each with a `command`; imported when it runs."""
