"""Sign-in: passwords are stored as salted scrypt digests and checked on every login."""

import hashlib
import os
from dataclasses import dataclass

COST = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True)
class User:
    name: str
    salt: bytes
    digest: bytes


class WrongPassword(Exception):
    """The same for an unknown user and for a wrong password."""


def digest_of(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **COST)


def register(users: dict[str, User], name: str, password: str) -> User:
    if name in users:
        raise ValueError(f"the name {name!r} is taken")
    salt = os.urandom(16)
    users[name] = User(name, salt, digest_of(password, salt))
    return users[name]


def login(users: dict[str, User], name: str, password: str) -> User:
    user = users.get(name)
    if user is None:
        raise WrongPassword
    if digest_of(password, user.salt) == user.digest:
        return user
    raise WrongPassword
