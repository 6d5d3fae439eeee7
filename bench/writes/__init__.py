"""One change of a product: to the database, and to Redis first."""
