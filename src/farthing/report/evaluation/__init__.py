"""Evaluations: Inspect tasks, asked through the gateway and recorded in its ledger."""
