"""Routes: which provider a query goes to."""
