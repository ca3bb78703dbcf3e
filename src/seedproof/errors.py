"""The errors that reach a person: one line each, with the exit status that goes with it."""


class SeedproofError(Exception):
    """Something that the user can act on; the message is the one line they see.

    Attributes:
        exit_status: the status with which the command ends.
    """

    exit_status = 3


class UsageError(SeedproofError):
    """Wrong usage or configuration: what was found, what is allowed, what to type next."""

    exit_status = 2


INTERRUPTED = 130  # the exit status after Ctrl-C, as shells have it
