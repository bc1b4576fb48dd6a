"""The sweep panel: plan, pay for, run and hear a sweep without a second line of code."""

from .panel import SweepPanel as SweepPanel

__all__ = ["SweepPanel"]
