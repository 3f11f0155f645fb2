"""Counting a request's tokens before it is sent: an envelope around a dialect's own requests.

Providers count for nothing, so such a query holds nothing and costs nothing; it is recorded.
"""
