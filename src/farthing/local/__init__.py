"""The embedded model: a provider like any other, on loopback, in a process of its own."""
