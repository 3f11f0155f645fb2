"""farthing, the accountable LLM gateway."""

__version__ = "0.1.0"
