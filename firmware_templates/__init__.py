"""C runtime, application, boards and the templates that join them to a model (data only)."""
