"""The composition root: the one place that knows concrete classes."""
