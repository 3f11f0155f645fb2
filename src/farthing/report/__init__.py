"""Documents and exports, made from the log's leaves and the records. Their packages are extras."""
