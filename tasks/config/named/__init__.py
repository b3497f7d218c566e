"""What settings name with parameters: parts of Keras, transformers, samplers.

May import what `config` may.
"""
