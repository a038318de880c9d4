"""What the course's scripted model says; a file for each scene."""

from .course import COURSE

__all__ = ["COURSE"]
