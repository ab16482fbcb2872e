"""The same with numpy, as a model that scores payments has it."""

import numpy

weights = numpy.linspace(0.0, 1.0, 64)


def handler(event, context):
    return {"score": float(weights @ weights)}
