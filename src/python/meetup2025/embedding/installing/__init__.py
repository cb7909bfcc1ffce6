"""
Installation of models: model folders made from published models.

Only this part of the package imports torch and transformers, and runs code that a model brings. It needs the extra
`[clip]`. Nothing here runs inside a database.

`published` finds the files, `original` runs them as their authors do. The preparation of pictures and texts is
measured, not read (`preprocessing`, `tokenization`). The towers are exported (`towers`, `quantisation`) and must give
the vectors of the original (`golden`). `places` makes folders that are whole or not there.
"""
