"""Make, measure and curate AI music in notebooks. `import finetuning as ft`, then `client = ft.connect()`."""

__version__ = "0.1.0"
