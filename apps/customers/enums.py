"""Constants of the customers' rooms."""

DATABASE = "default"

# How long the parts of a name and an address may be, in characters.
NAME_LENGTH = 150
EMAIL_LENGTH = 254
LINE_LENGTH = 200
PLACE_LENGTH = 100
POSTAL_CODE_LENGTH = 20
MOST_ADDRESSES = 50
