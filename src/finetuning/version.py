"""The version, apart from the package's face so that any layer may name it."""

__version__ = "0.1.0"
