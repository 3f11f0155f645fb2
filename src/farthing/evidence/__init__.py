"""The transparency log over the ledger: leaves, tiles, signed checkpoints, receipts, verifiers."""
