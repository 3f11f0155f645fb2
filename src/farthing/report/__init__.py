"""Documents and exports, made from the transparency log."""
