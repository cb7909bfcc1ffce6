"""
Installation of models: model folders made from published models.

Only this part of the package imports huggingface_hub, torch and transformers, and runs code that a model brings.
Nothing here runs inside a database.

A model that is published in ONNX is taken as it is (`ready`, extra `[hub]`): `recipes` knows some by short names, `hub`
downloads, `layouts` chooses the files, and `heads` says what becomes of their outputs. It must find words for drawn
pictures (`meaning`), and may be compared with other forms of it (`agreement`).

Any other model is exported (extra `[clip]`). `published` finds the files, `original` runs them as their authors do. The
preparation of pictures and texts is measured, not read (`preprocessing`, `tokenization`). The towers are exported
(`towers`, `quantisation`) and must give the vectors of the original.

`golden` writes the golden items of both. `places` makes folders that are whole or not there. `install` is the door.
"""
