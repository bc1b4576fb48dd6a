"""The client: `AsyncClient` with records, and `Client` with the same verbs, blocking, and DataFrames."""
