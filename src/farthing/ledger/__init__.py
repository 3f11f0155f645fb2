"""The ledger: one journal that admits, settles and remembers every query."""
