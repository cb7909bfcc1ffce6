"""
The grammar of InterSystems IRIS SQL, by recursive descent: each construct is written out once.

From the bottom up: `tokens`, `nodes`, `refusals`, then one class that grows from module to module, `words`,
`expressions`, `forms`, `terms`, `queries`, `definitions`, `statements`. `dialect.parse` is the way in.
"""
