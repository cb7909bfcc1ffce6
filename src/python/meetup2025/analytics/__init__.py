"""
What vectors mean: arrays in, small frozen records out.

Nothing here knows SQL, JSON or an engine. Vectors are rows of an array of shape (n, d), float32 or float64, of any
length; everything is measured by the cosine, so that only their directions count.
"""
