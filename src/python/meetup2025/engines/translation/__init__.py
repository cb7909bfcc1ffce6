"""
From a tree of IRIS SQL to DuckDB SQL: find what the names mean, work out the types, write the text.

From the bottom up: `schema`, `sql_types`, `scopes`, `inference`, `select_list`, `grouping`, `resolver`, `writer`,
`indexes`, `definitions` and `changes`. `translate.to_duckdb` is the way in.
"""
