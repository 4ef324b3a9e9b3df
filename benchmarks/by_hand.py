"""The question of the demo in Keras and scikit-learn by hand: prints the accuracy of every layer, as the demo does.

    python benchmarks/by_hand.py          in the folder where `vistaql demo` made vistaql-demo

README.md shows the lines below the imports. The folds and the penalty are those of VistaQL, so that figures can be
compared to the last digit; `StratifiedKFold(5)` and another C would do as well.
"""

import keras
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vistaql.engines.tensorflow.architectures import build_strokes
from vistaql.learners.folds import deal
from vistaql.models.roster import shipped_weights

net = build_strokes()
net.load_weights(shipped_weights("strokes"))
table = pd.read_csv("vistaql-demo/measures.csv")
columns, digit = table[["ink", "width", "height", "slant"]].to_numpy(), table["digit"].to_numpy()
scans = [Image.open(f"vistaql-demo/scans/{name}.png").convert("RGB") for name in table["scan_id"]]
pixels = np.stack([np.asarray(scan, np.float32) / 255 for scan in scans])
names = ["conv1", "conv2", "conv3", "conv4", "fc5", "fc6"]
outputs = [net.get_layer(name).output for name in names]
pool = keras.layers.GlobalAveragePooling2D()
model = keras.Model(net.input, [pool(output) if len(output.shape) == 4 else output for output in outputs])
blocks = dict(zip(names, model.predict(pixels, verbose=0), strict=True))
blocks["table alone"] = np.empty((len(table), 0))
folds = PredefinedSplit(deal(list(table["scan_id"]), digit - digit.min(), 5))
learner = make_pipeline(StandardScaler(), LogisticRegression(C=1 / (0.01 * 717), max_iter=1000))
for name, block in blocks.items():
    scores = cross_val_score(learner, np.hstack([columns, block]), digit, cv=folds)
    print(f"{name:12}{scores.mean():.3f}")
