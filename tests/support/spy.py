"""Sources of models that search the memory of their process for what is marked."""

MARKS = (8123.4567, -517.25, 93.75)

# What yields each part of this process's memory that may hold data, as bytes.
SEARCH = """
import re
import numpy as np

def memory():
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            place, rights, *_ = line.split()
            if not rights.startswith("r") or line.rstrip().endswith("]") and "heap" not in line:
                continue
            start, end = (int(part, 16) for part in place.split("-"))
            try:
                memory.seek(start)
                yield memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
"""
SPY = (
    SEARCH
    + """
import keras
from keras import layers

# Two marked rows in a row: the pattern itself, which is in memory too, is only one.
ROW = np.array([8123.4567, -517.25, 93.75], np.float32).tobytes()

def finds_marked_rows():
    for found in memory():
        places = {match.start() for match in re.finditer(re.escape(ROW), found)}
        if any(place + len(ROW) in places for place in places):
            return True
    return False

class Spy(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, x):
        return self.out(x)

    def fit(self, *args, **kwargs):
        if finds_marked_rows():
            raise RuntimeError("the model finds the marked rows")
        return super().fit(*args, **kwargs)

def build():
    return Spy()
"""
)

# The same, for a model whose inputs are called first and marked.
SPY_OF_INPUTS = SPY.replace(
    "        return self.out(x)",
    "        return self.out(layers.concatenate([x['first'], x['marked']]))",
)
