class BadModel(Exception):
    """The file cannot be made a folder; the message is one sentence for the user."""
