"""Names that are fixed."""

DATABASE = "reporting"
ARCHIVE = "archive"  # the consumer group
