"""All physical operators."""

from vistaql.physical.infer import Keep, PickFeatures, RunPass
from vistaql.physical.operator import Operator
from vistaql.physical.reading import EitherRows, ReadImages, ReadRows
from vistaql.physical.training import Answer, Answers, BestSoFar, Fit, FitAlone, Scores
from vistaql.physical.writing import WriteFeatures

__all__ = [
    "Answer", "Answers", "BestSoFar", "EitherRows", "Fit", "FitAlone", "Keep", "Operator", "PickFeatures", "ReadImages",
    "ReadRows", "RunPass", "Scores", "WriteFeatures",
]  # fmt: skip
