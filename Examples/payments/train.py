"""Makes score/model.npz: a logistic model of payments that were made up with a fixed seed, so that it is the same everywhere.

    python3 train.py [--check]
"""
import io
import os
import sys

import numpy

PLACE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "score", "model.npz")


def sample(count=4000):
    chance = numpy.random.Generator(numpy.random.PCG64(20022))
    size = chance.normal(3.0, 1.0, count)
    night = (chance.random(count) < 0.1).astype(float)
    abroad = (chance.random(count) < 0.3).astype(float)
    even = (chance.random(count) < 0.15).astype(float)
    rows = numpy.column_stack([size, night, abroad, even])
    # What makes a payment suspicious in this world: large ones at night, abroad, in round amounts.
    truth = 1.6 * (size - 4.6) + 2.2 * night + 1.4 * abroad + 0.8 * even - 1.5
    labels = (chance.random(count) < 1 / (1 + numpy.exp(-truth))).astype(float)
    return rows, labels


def fit(rows, labels, rounds=400, rate=0.5):
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    scaled = (rows - mean) / deviation
    weights, bias = numpy.zeros(scaled.shape[1]), 0.0
    for _ in range(rounds):
        wrong = 1 / (1 + numpy.exp(-(scaled @ weights + bias))) - labels
        weights -= rate * (scaled.T @ wrong) / len(labels)
        bias -= rate * wrong.mean()
    # Sums of floating-point numbers differ in the last digits from processor to processor.
    return {"mean": mean.round(6), "deviation": deviation.round(6), "weights": weights.round(6), "bias": numpy.array([bias]).round(6)}


model = fit(*sample())
if "--check" in sys.argv:
    stored = numpy.load(PLACE)
    assert all(numpy.array_equal(stored[name], model[name]) for name in model), "score/model.npz is not what train.py makes"
else:
    numpy.savez(PLACE, **model)
print({name: values.tolist() for name, values in model.items()})
