"""Sweeps: many takes planned at once, each paid for knowingly, journaled, resumable, and heard side by side."""
