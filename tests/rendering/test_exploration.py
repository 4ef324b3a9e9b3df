"""The answer to an EXPLORE on a screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vistaql.outcome import Counts
from vistaql.rendering.style import PLAIN, Style, cells
from vistaql.rendering.text import to_text

if TYPE_CHECKING:
    from tests.rendering.conftest import Answers

SCREEN = """\
  layer       width  accuracy                       over the table alone
  conv1          16     0.735  ###############      +0.18 (0.14 to 0.22)
  conv2          32     0.845  #################    +0.29 (0.25 to 0.33)
  conv3          48     0.919  ##################   +0.37 (0.33 to 0.41) best
  conv4          64     0.915  ##################   +0.36 (0.32 to 0.40) as good
  fc5            64     0.844  #################    +0.29 (0.25 to 0.33)
  fc6             5     0.749  ###############      +0.19 (0.15 to 0.23)
  ------------------------------------------------------------------------------
  table alone     4     0.554  ###########          ink, width, height, slant
  conv3 alone    48     0.892  ##################
  commonest digit       0.203  ####                 5

  896 images, 896 rows, all matched, none bad. 5 folds (std 0.014). One pass
  for six layers: 0.8 s. In all 3.9 s.
  Kept as result_1.

conv3, the third of six layers, is best: 0.919. conv4 is within noise of it.
fc6, the last one, gets 0.749: 17 points less."""


def test_the_whole_screen_in_ascii(answers: Answers) -> None:
    assert to_text(answers.six(), PLAIN) == SCREEN


def test_a_terminal_with_utf8_gets_bars(answers: Answers) -> None:
    assert to_text(answers.six(), Style(80, unicode=True)) == SCREEN.replace("#", "▇")


def test_only_the_best_row_stands_out(answers: Answers) -> None:
    coloured = to_text(answers.six(), Style(80, unicode=True, colour=True))
    marked = [line for line in coloured.splitlines() if "\x1b" in line]
    assert len(marked) == 1
    assert "conv3" in marked[0]


@pytest.mark.parametrize("width", [40, 60, 72, 80, 200])
def test_nothing_is_wider_than_the_screen(answers: Answers, width: int) -> None:
    rows = tuple(replace(row, layer=row.layer and f"block_13_{row.layer}_expand_relu") for row in answers.six().rows)
    text = to_text(answers.six(rows=rows, notes=("a long note " * 20,)), Style(width, unicode=True))
    assert max(map(cells, text.splitlines())) <= min(width, 80)


def test_several_cnns_are_headed_by_their_names(answers: Answers) -> None:
    six = answers.six().rows
    other = tuple(replace(row, cnn="resnet50", mean=row.mean - 0.3) for row in six[:3])
    lines = to_text(answers.six(rows=(*six[:-1], *other, six[-1]))).splitlines()
    assert lines[1] == "  strokes"
    assert lines[2].startswith("    conv1")
    assert lines.count("  resnet50") == 1
    assert "strokes.conv3, the third of six layers, is best" in "\n".join(lines)


def test_several_learners_get_a_table_each(answers: Answers) -> None:
    six = answers.six().rows
    trees = tuple(replace(row, learner="decision_tree", mean=row.mean - 0.1) for row in six)
    text = to_text(answers.six(rows=(*six, *trees)))
    assert text.count("over the table alone") == 2
    assert "  accuracy, decision_tree\n" in text
    assert "conv3, the third of six layers, is best with logistic_regression: 0.919." in text


def test_of_a_loss_less_is_better(answers: Answers) -> None:
    rows = tuple(replace(row, metric="log_loss", mean=2 * row.mean) for row in answers.six().rows)
    text = to_text(answers.six(rows=rows, metric="log_loss"))
    assert "log_loss (less is better), logistic_regression" in text
    assert "conv1, the first of six layers, is best: 1.470." in text
    assert "fc6, the last one, gets 1.498: 0.028 worse." in text


def test_several_metrics_are_judged_by_the_first(answers: Answers) -> None:
    six = answers.six().rows
    losses = tuple(replace(row, metric="log_loss", mean=1 - row.mean) for row in six)
    text = to_text(answers.six(rows=(*losses, *six)))
    assert text.index("accuracy, logistic_regression") < text.index("log_loss (less is better)")
    assert "conv3, the third of six layers, is best: 0.919." in text


def test_without_columns_there_is_no_lift_but_a_deviation(answers: Answers) -> None:
    layers = tuple(replace(row, lift=None, lift_low=None, lift_high=None) for row in answers.six().rows[:-1])
    text = to_text(answers.six(rows=layers, image_only=None, columns=()))
    assert "over the table" not in text
    assert "table alone" not in text
    assert text.splitlines()[0].endswith("std")
    assert "0.014 best" in text
    assert "commonest digit" in text


def test_one_split_says_nothing_about_noise(answers: Answers) -> None:
    rows = tuple(replace(row, folds=row.folds[:1], lift_low=None, lift_high=None) for row in answers.six().rows)
    text = to_text(answers.six(rows=rows, folds=1))
    assert "One split says nothing about noise; USING CROSS VALIDATION (5) would." in text.replace("\n", " ")
    assert "as good" not in text
    assert "within noise" not in text


def test_the_last_layer_may_be_the_best(answers: Answers) -> None:
    rows = answers.six().rows
    text = to_text(answers.six(rows=(*rows[:3], rows[-1]), image_only=None))
    assert "conv3, the last of three layers, is best: 0.919. No other layer is within noise of it." in flat(text)


def test_the_last_layer_may_be_as_good(answers: Answers) -> None:
    rows = answers.six().rows
    text = to_text(answers.six(rows=(*rows[:4], rows[-1]), image_only=None))
    assert "conv4 (the last one) is within noise of it." in flat(text)


def test_one_layer_alone_is_not_called_best(answers: Answers) -> None:
    rows = answers.six().rows
    text = to_text(answers.six(rows=(rows[2], rows[-1]), image_only=None))
    assert flat(text).endswith("conv3 gets 0.919.")
    assert "best" not in text


def test_a_lift_within_noise_is_said(answers: Answers) -> None:
    rows = answers.six().rows
    dull = replace(rows[2], mean=0.560, lift=0.006, lift_low=-0.02, lift_high=0.03)
    assert "That is within noise of the table alone, 0.554." in flat(to_text(answers.six(rows=(dull, rows[-1]))))
    worse = replace(rows[2], mean=0.4, lift=-0.15, lift_low=-0.2, lift_high=-0.1)
    assert "The table alone is better: 0.554." in flat(to_text(answers.six(rows=(worse, rows[-1]))))
    useless = replace(rows[2], mean=0.2, lift=-0.35, lift_low=-0.4, lift_high=-0.3)
    text = flat(to_text(answers.six(rows=(useless, rows[-1]))))
    assert "Nothing here is better than always saying '5' (0.203)." in text


def test_a_lift_of_a_loss_is_better_below_zero(answers: Answers) -> None:
    six = answers.six().rows
    good = replace(six[2], metric="log_loss", mean=0.3, lift=-0.5, lift_low=-0.6, lift_high=-0.4)
    alone = replace(six[-1], metric="log_loss", mean=0.8)
    text = flat(to_text(answers.six(rows=(good, alone), metric="log_loss", image_only=None)))
    assert text.endswith("conv3 gets 0.300.")


def test_counts_tell_what_did_not_match(answers: Answers) -> None:
    counts = Counts(3000, 2990, 10, 3000, 2985, 1, 15, 2, 3)
    assert (
        "3,000 images, 3,000 rows, 2,985 learnt from, 10 bad (SHOW ERRORS names them), 1 image without a row, "
        "15 rows without an image, 2 rows with a key seen before, 3 rows without a label."
    ) in flat(to_text(answers.six(counts=counts)))


def test_a_forced_plan_is_named(answers: Answers) -> None:
    plan = replace(answers.six().plan, strategy="lazy", forced=True, passes=("",) * 6, inference_seconds=83.0)
    text = flat(to_text(answers.six(plan=plan)))
    assert "Six passes for six layers: 1 min 23 s (plan = lazy was set)." in text


def test_random_weights_head_the_answer(answers: Answers) -> None:
    first = to_text(answers.six(random_weights=("strokes",))).splitlines()[0]
    assert first == "  RANDOM WEIGHTS: strokes has learnt nothing; the figures say so."


def test_pools_are_named_where_they_differ(answers: Answers) -> None:
    rows = answers.six().rows
    text = to_text(answers.six(rows=(rows[2], replace(rows[2], pool="max(2,2)", mean=0.8), rows[-1])))
    assert "  conv3 gap" in text
    assert "  conv3 max(2,2)" in text


def test_what_is_not_a_number_is_survived(answers: Answers) -> None:
    nan = float("nan")
    rows = answers.six().rows
    odd = replace(rows[0], mean=nan, std=nan, folds=(nan,) * 5, lift=nan, lift_low=nan, lift_high=nan)
    text = to_text(answers.six(rows=(odd, *rows[1:]), majority=nan))
    assert "conv3, the third of six layers, is best: 0.919." in text


def test_names_from_data_cannot_move_the_cursor(answers: Answers) -> None:
    text = to_text(
        answers.six(label="dig\x1b[2Jit", majority_class="\x9b5\n", columns=("\x07ink",), notes=("a\x1b]0;b",))
    )
    assert not set(text) & set("\x1b\x9b\x07")
    assert "commonest dig[2Jit" in text


def flat(text: str) -> str:
    """The text without its line ends."""
    return " ".join(text.split())
