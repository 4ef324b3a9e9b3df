"""HELP: each statement in one line, and in its full form."""

from __future__ import annotations

from vistaql.errors import Code, Span, VistaQLError, did_you_mean
from vistaql.outcome import Report

TOPICS = {
    "explore": (
        "which layer of a CNN serves a prediction task best",
        """EXPLORE LAYERS layer [POOL gap | gmp | max(h, w) | avg(h, w) | none], .. OF cnn
  FROM images [JOIN table [USING (column)]] ..
  [WHERE condition] [SAMPLE n [PERCENT]] [FEATURES * [EXCEPT (..)] | column, .. | NONE]
  [PREDICT expression] TRAIN learner [(argument = value, ..)], ..
  [EVALUATE metric, .. [USING CROSS VALIDATION (k) | HOLDOUT (share) | SPLIT column]]
  [PER KEY mean | max | first] [INTO name | 'file.csv'] [WITH (setting = value, ..)];
In place of LAYERS ..: LAYERS *, LAST n LAYERS, LAYERS LIKE 'conv5_%', or the CNN alone.""",
    ),
    "explain": (
        "the plan of a query, and the plans that lost",
        """EXPLAIN [ANALYZE | CANDIDATES | VERBOSE] [FORMAT text | json | html] [EXPLORE .. | EXPORT LAYERS ..];
ANALYZE runs the query and puts what it took beside the estimate; CANDIDATES tells of every plan,
VERBOSE of every rewrite. EXPLAIN; explains the query before it.""",
    ),
    "export layers": (
        "features as a Parquet file",
        "EXPORT LAYERS layer, .. OF cnn FROM images [JOIN ..] [WHERE ..] [SAMPLE n] TO 'file.parquet';",
    ),
    "create images": (
        "name a folder, a list or a table of images",
        """CREATE [OR REPLACE] IMAGES name FROM 'folder/' | 'glob' | 'list.csv' | 'images.parquet'
  | table COLUMN column [IN 'folder/']
  [KEY FROM STEM | PATH | REGEX 'pattern' | COLUMN column] [LABEL FROM FOLDER]
  [WITH (on_error = skip | fail, max_bad = 0.01)];""",
    ),
    "create table": (
        "name a file of rows, or keep the rows of a query",
        """CREATE [OR REPLACE] TABLE name FROM 'file.csv | .parquet | .json' [KEY (column)] [LABEL column];
CREATE TABLE name [KEY (column)] [LABEL column] AS SELECT ..;""",
    ),
    "register cnn": (
        "name another CNN, or a CNN with other weights",
        """REGISTER [OR REPLACE] CNN name FROM keras 'MobileNet' | file 'net.keras' | roster_name
  [WEIGHTS 'file.weights.h5' | WEIGHTS RANDOM (SEED = n)]
  [WITH (preprocessing = tf | torch | caffe | caffe_rgb | unit | none, input_size = n)];""",
    ),
    "select": ("rows of tables, image sets and results", "SELECT ..;  SUMMARIZE name;  _ is the last result."),
    "show": (
        "what there is",
        """SHOW TABLES | IMAGES | CNNS | RESULTS | LEARNERS | METRICS | SETTINGS | CALIBRATION;
SHOW [ALL] LAYERS OF cnn;  SHOW CREATE TABLE | IMAGES | CNN | RESULT name;  SHOW ERRORS [OF images];""",
    ),
    "describe": ("columns of an object, facts of a CNN", "DESCRIBE [TABLE | IMAGES | CNN | RESULT] name;"),
    "drop": ("forget a name; files stay", "DROP TABLE | IMAGES | CNN | RESULT [IF EXISTS] name;"),
    "set": ("settings of the session", "SET name = value;  RESET name | ALL;  SHOW SETTINGS; lists them."),
    "calibrate": (
        "measure this machine, a CNN or Spark on it, so that plans are priced by what they take here",
        """CALIBRATE;  CALIBRATE CNN name;  CALIBRATE SPARK;
SHOW CALIBRATION; lists the rates.  RESET CALIBRATION; forgets them.""",
    ),
    "source": ("run a script", "SOURCE 'file.vql';"),
}


def help_on(topic: str, span: Span) -> Report:
    """All topics, or one in full."""
    wanted = topic.casefold()
    if not wanted:
        width = max(map(len, TOPICS))
        lines = [f"{name.upper():<{width}}  {meaning}" for name, (meaning, _) in TOPICS.items()]
        return Report((*lines, "HELP topic; shows one in full."), (("topics", list(TOPICS)),))
    found = next((name for name in TOPICS if name == wanted or wanted in name.split()), None)
    if found is None:
        raise VistaQLError(
            Code.UNKNOWN_OBJECT,
            f"There is no help on '{topic}'.",
            span=span,
            hint=did_you_mean(topic, TOPICS, "topics"),
        )
    meaning, form = TOPICS[found]
    return Report((f"{found.upper()}: {meaning}", *form.split("\n")), (("topic", found), ("form", form)))
