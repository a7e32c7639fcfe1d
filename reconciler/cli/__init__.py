"""The command line: options in, one use case, text out, exit code. Every decision is made elsewhere."""
