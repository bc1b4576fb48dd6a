"""The row of controls that says which tracks of a library are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import ipywidgets

from finetuning.records import KEYS, SCALES, STATUSES, TIME_SIGNATURES

from .filters import Criteria

__all__ = ["FilterBar"]

_ANY: Final = "any"  # not None, for which a menu shows nothing at all
_SLOWEST, _FASTEST = 60, 200  # what the service takes; at its ends the slider leaves the tempo open


class FilterBar(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Text, status, tempo, key, scale, beats, visibility and date; `changed` is called when any of them is.

    Parameters
    ----------
    changed
        Called without arguments, on the thread where a control changed.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._quiet = False
        self.text = ipywidgets.Text(placeholder="Words in title or tags", layout=ipywidgets.Layout(width="13rem"))
        self.text.description = "Find"
        self.status = _choice("Status", [(each, each) for each in STATUSES], "7rem")
        self.bpm = ipywidgets.IntRangeSlider(
            value=(_SLOWEST, _FASTEST),
            min=_SLOWEST,
            max=_FASTEST,
            description="BPM",
            continuous_update=False,
            layout=ipywidgets.Layout(width="16rem"),
        )
        self.key = _choice("Key", [(each, each) for each in KEYS], "4.4rem")
        self.scale = _choice("Scale", [(each, each) for each in SCALES], "5.6rem")
        self.beats = _choice("Beats", [(str(each), each) for each in TIME_SIGNATURES], "4.4rem")
        self.public = _choice("Visible", [("public", True), ("private", False)], "6rem")
        self.since = ipywidgets.DatePicker(description="Since", layout=ipywidgets.Layout(width="11.5rem"))
        self.reset = ipywidgets.Button(
            description="Show all", tooltip="Take all filters away", layout=ipywidgets.Layout(width="auto")
        )
        self._defaults: Final = {
            self.text: "",
            self.status: _ANY,
            self.bpm: (_SLOWEST, _FASTEST),
            self.key: _ANY,
            self.scale: _ANY,
            self.beats: _ANY,
            self.public: _ANY,
            self.since: None,
        }
        for control in self._defaults:
            control.style.description_width = "initial"
            control.observe(self._tell, "value")
        self.reset.on_click(lambda _: self.clear())
        super().__init__(
            [*self._defaults, self.reset], layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center")
        )
        self.add_class("ft-filters")

    @property
    def criteria(self) -> Criteria:
        """What the controls say."""
        slowest, fastest = self.bpm.value
        return Criteria(
            text=self.text.value,
            status=_meant(self.status),
            slowest=slowest if slowest > _SLOWEST else None,
            fastest=fastest if fastest < _FASTEST else None,
            key=_meant(self.key),
            scale=_meant(self.scale),
            time_signature=_meant(self.beats),
            public=_meant(self.public),
            since=self.since.value,
        )

    def clear(self) -> None:
        """Take all filters away."""
        self._quiet = True
        try:
            for control, value in self._defaults.items():
                control.value = value
        finally:
            self._quiet = False
        self._tell()

    def _tell(self, _change: Any = None) -> None:
        if not self._quiet:
            self._changed()


def _choice(label: str, options: list[tuple[str, Any]], room: str) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(
        options=[(_ANY, _ANY), *options],
        description=label,
        layout=ipywidgets.Layout(width=f"calc({room} + 2.6rem)"),
    )


def _meant(control: ipywidgets.Dropdown) -> Any:
    return None if control.value == _ANY else control.value
