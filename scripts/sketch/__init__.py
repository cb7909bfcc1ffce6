"""
The drawings, the training and the measuring of the bundled model `sketch`.
"""
