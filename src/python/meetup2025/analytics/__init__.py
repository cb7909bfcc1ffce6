"""
Analyses of vectors: arrays in, small frozen records out.

Nothing here knows SQL, JSON or an engine. Vectors are rows of an array of shape (n, d), float32 or float64, of any
length. The cosine is the measure, so only the direction of a vector counts.
"""
