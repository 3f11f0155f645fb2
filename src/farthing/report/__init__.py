"""Documents and exports, made from the journal, the log and the records."""
