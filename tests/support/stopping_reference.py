"""Train a fold by a loop of its own with Keras's early stopping, for a worker."""

import numpy as np

from foldproof.tasks.training.fold_data import training_data
from foldproof.tasks.training.keras_model import fresh_model, weights_digest
from foldproof.tasks.user_code.builder import load_builder


def train_reference(job, settings):
    """Return (weights, best epoch from 1, epochs run) of a `train_on_batch` loop."""
    import keras  # in a worker only

    fold_data, size = training_data(job), job.train.batch_size
    train, held_out = fold_data.train, fold_data.held_out
    assert held_out is not None
    model = fresh_model(load_builder(job.builder), job.builder, job.train, job.model_seed)
    restore = settings.pop("restore_best")
    stopping = keras.callbacks.EarlyStopping(**settings, restore_best_weights=restore)
    stopping.set_model(model)
    stopping.on_train_begin()
    order = np.random.Generator(np.random.PCG64(job.order_seed))
    for epoch in range(job.train.epochs):
        rows = order.permutation(len(train.features))
        model.reset_metrics()
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            logs = model.train_on_batch(train.features[part], train.targets[part], return_dict=True)
        found = model.evaluate(
            held_out.features, held_out.targets, batch_size=size, return_dict=True, verbose=0
        )
        logs |= {f"val_{name}": value for name, value in found.items()}
        stopping.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    model.optimizer.finalize_variable_values(model.trainable_variables)
    stopping.on_train_end()
    return weights_digest(model), stopping.best_epoch + 1, epoch + 1
