"""Private names of Keras and TensorFlow, each behind a plain one.

Imports nothing else of foldproof.
"""
