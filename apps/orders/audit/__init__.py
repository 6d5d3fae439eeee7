"""The audit: do the books of all databases and of the gateway agree?"""
