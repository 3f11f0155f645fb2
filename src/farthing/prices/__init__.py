"""Prices: the book of dated rows, what a usage costs, and the most a query can cost."""
