"""What a widget leaves in a saved notebook: a static summary, which stands there when no kernel answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, Final

from finetuning.errors import FinetuningError

__all__ = ["Still", "new_id"]

#: A widget that is gone leaves JupyterLab's bare words "model not found" behind, which say nothing beside the summary.
_STYLE: Final = (
    "<style>.jp-OutputArea:has(.ft-still) .jp-OutputArea-output.jupyter-widgets:not(:has(*)) { display: none; }</style>"
)


def new_id() -> str:
    """Return an id for the summary's element, by which the page hides it for as long as the widget is there itself."""
    return f"ft-{uuid.uuid4().hex}"


class Still:
    """Puts a summary beside a widget in two outputs; stands before the widget's own class among the bases.

    Of one output with both, JupyterLab would take the widget, and show only an error when it is gone.
    """

    #: What it is, for whoever sees the widget's output without the widget.
    _noun: ClassVar[str] = "panel"

    def _page(self) -> str:
        """Write the summary in HTML."""
        raise NotImplementedError

    def _renew_page(self) -> None:
        """Bring what a saved notebook will show up to date; may be called on any thread."""
        for handle in self._handles:
            with suppress(FinetuningError, OSError):  # as of a journal that is gone: what was shown last stays
                handle.update(self._summary(), raw=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = self._live(**kwargs)
        return {**data, **self._summary()}, metadata

    def _ipython_display_(self) -> None:
        from IPython.display import display

        show: Callable[..., Any] = display  # its parameters are typed in some versions of IPython only
        handle = show(self._summary(), raw=True, display_id=True)
        if handle is not None:
            self._handles.append(handle)
        data, metadata = self._live()
        if data:
            show(
                {**data, "text/plain": f"(The {self._noun} appears where this notebook runs.)"},
                metadata=metadata,
                raw=True,
            )

    @property
    def _handles(self) -> list[Any]:
        kept: list[Any] = vars(self).setdefault("_still_handles", [])
        return kept

    def _summary(self) -> dict[str, str]:
        return {"text/html": f'<div class="ft-still">{self._page()}</div>{_STYLE}', "text/plain": repr(self)}

    def _live(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the widget's own bundle: with metadata or without, or none where it is closed."""
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]  # of the widget, which comes after this
        return bundle if isinstance(bundle, tuple) else (bundle or {}, {})
