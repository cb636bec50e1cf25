class FetchError(Exception):
    """The fetch failed; the message is one sentence for the user."""

    status = 1


class UserMistake(FetchError):
    """What was asked for cannot be done."""

    status = 2


class Absent(UserMistake):
    """The mirror has not got it, or a mirror would be needed and none was named."""


class Unreachable(FetchError):
    """No first byte could be had: no network, no such host, or a server that refuses."""


class NotFound(FetchError):
    """The source answers, but has no such file."""
