"""What is fitted to a fold's features before its model: scaler, automatic steps, or the user's own.

May import what `training` may; nothing of the engines.
"""
