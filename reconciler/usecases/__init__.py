"""What each command does, one module each: values in, a result value out; nothing is printed here."""
