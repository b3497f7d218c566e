"""Cross-validation of Keras models that you can prove."""
