"""Panels for notebooks: hear takes side by side, run sweeps, keep a library."""
