"""The audition deck: takes side by side, heard at the same musical place."""

from .widget import Deck as Deck

__all__ = ["Deck"]
