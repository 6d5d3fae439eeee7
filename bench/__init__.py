"""How fast Holdfast is: measured apart from the tests, one module per promise."""
