# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, by what the caller can do about it. All derive from `PilakeError`."""


class PilakeError(Exception):
    """Something failed. The message names the thing, the cause and, where there is one, the cure."""


class InvalidError(PilakeError, ValueError):
    """The configuration or an argument asks for something that cannot work. Change it."""


class UnreachableError(PilakeError, ConnectionError):
    """The source or the store cannot be reached, or does not give what was asked for. Try later."""


class SignOnError(PilakeError, PermissionError):
    """The source or the store does not accept who we say we are."""


class ChangedError(UnreachableError):
    """The archive changed while it was read, or another writer was first. Do the same again."""


class MissingError(PilakeError, LookupError):
    """There is no such table, point or file."""


#: By the word that the core uses for the kind of failure; the empty word stands for all others.
BY_KIND: dict[str, type[PilakeError]] = {
    "": PilakeError,
    "invalid": InvalidError,
    "auth": SignOnError,
    "refused": SignOnError,
    "not_found": MissingError,
    "transient": ChangedError,
    "conflict": ChangedError,
    "throttled": UnreachableError,
    "timed_out": UnreachableError,
    "unreachable": UnreachableError,
    "commit_unknown": UnreachableError,
}
