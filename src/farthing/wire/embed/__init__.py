"""Embeddings: one module for each dialect, both what decides the price and the codec.

They cross among themselves, and to no other dialect.
"""
