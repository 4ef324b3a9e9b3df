"""All physical operators."""

from vistaql.physical.infer import Keep, PickFeatures, RunPass
from vistaql.physical.operator import Operator
from vistaql.physical.reading import ReadImages, ReadRows
from vistaql.physical.training import Answer, BestSoFar, Fit, FitAlone, Scores
from vistaql.physical.writing import WriteFeatures

__all__ = [
    "Answer", "BestSoFar", "Fit", "FitAlone", "Keep", "Operator", "PickFeatures", "ReadImages", "ReadRows", "RunPass",
    "Scores", "WriteFeatures",
]  # fmt: skip
