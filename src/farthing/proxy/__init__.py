"""The data plane: takes queries from clients, sends them to providers, and records both."""
