"""Policy: who may ask, and the sentences that say why not."""
