"""The vault: salts and contents of queries, encrypted, and erased when their time is over."""
