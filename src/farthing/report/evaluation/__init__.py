"""Evaluations: tasks of the Inspect framework, asked through the gateway, recorded in its ledger."""
