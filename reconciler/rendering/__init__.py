"""Values to text, for people and for JSON Lines: returns text, never prints."""
