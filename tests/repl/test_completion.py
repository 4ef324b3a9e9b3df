"""What the menu offers, place by place: `|` is the cursor."""

from __future__ import annotations

import time

import pytest

from vistaql.frontend.parse_table import language
from vistaql.repl.completion import complete
from vistaql.repl.place import Offer, World
from vistaql.repl.standing import reader_of, symbols, tokens_of

QUERY = "EXPLORE strokes FROM scans JOIN measures"


def offered(text: str, world: World) -> list[Offer]:
    cursor = text.index("|")
    return list(complete(text.replace("|", "", 1), cursor, world).offers)


def texts(text: str, world: World) -> list[str]:
    return [offer.text for offer in offered(text, world)]


def meaning(text: str, of: str, world: World) -> str:
    return next(offer.meaning for offer in offered(text, world) if offer.text == of)


PLACES = (
    ("EXPLORE |", ["strokes", "vgg16", "LAYERS", "LAST", "ALL"], ["SHOW", "scans"]),
    ("EXPLORE LAYERS | OF strokes", ["conv1", "fc5", "fc6", "*", "LIKE"], ["fc7", "block_6_expand_relu"]),
    ("EXPLORE LAYERS |", ["fc7", "conv1", "block6b_add"], ["OF", "scans"]),
    ("EXPLORE LAYERS fc6 OF strokes, LAYERS | OF vgg16", ["fc8"], ["fc5"]),
    ("EXPLORE LAYERS fc6 OF vgg16, LAYERS |", ["fc8"], []),
    ("EXPLORE LAYERS conv1 |", ["OF", "POOL"], ["FROM", "conv1"]),
    ("EXPLORE LAYERS conv1 POOL |", ["gap", "max(2, 2)", "none"], ["OF"]),
    ("EXPLORE LAYERS conv1 OF |", ["strokes", "resnet50"], ["scans"]),
    ("EXPLORE strokes FROM |", ["scans"], ["measures", "strokes"]),
    ("EXPLORE strokes FROM scans |", ["JOIN", "TRAIN", "WHERE", "PREDICT", "AS"], ["OF"]),
    ("EXPLORE strokes FROM scans JOIN |", ["measures", "prices"], ["scans"]),
    (f"{QUERY} USING (|", ["scan_id", "ink"], ["key"]),
    (f"{QUERY} WHERE |", ["ink", "digit", "measures.width", "scans.width", "key", "NOT"], ["width"]),
    (f"{QUERY} WHERE ink > 3 AND |", ["slant"], ["TRAIN"]),
    (f"{QUERY} AS m WHERE m.|", ["ink", "width"], ["key", "path"]),
    (f"{QUERY} PREDICT |", ["digit", "ink"], ["measures"]),
    (f"{QUERY} FEATURES ink, |", ["slant"], []),
    (f"{QUERY} FEATURES * EXCEPT (|", ["ink"], ["TRAIN"]),
    (f"{QUERY} TRAIN |", ["logistic_regression"], ["strokes"]),
    (f"{QUERY} TRAIN lr(|", ["reg = ", "max_iter = "], ["plan = "]),
    (f"{QUERY} TRAIN lr(reg = 1, |", ["tol = "], ["plan = "]),
    (f"{QUERY} TRAIN lr EVALUATE |", ["accuracy", "log_loss"], ["ink"]),
    (f"{QUERY} TRAIN lr EVALUATE accuracy, |", ["f1_macro"], ["ink"]),
    (f"{QUERY} TRAIN lr EVALUATE accuracy USING |", ["CROSS", "HOLDOUT", "SPLIT"], ["scan_id"]),
    (f"{QUERY} TRAIN lr WITH (|", ["plan = ", "memory_limit = "], ["reg = "]),
    (f"{QUERY} TRAIN lr WITH (plan = |", ["lazy", "staged", "auto"], ["plan = "]),
    ("SET |", ["plan = ", "threads = "], ["SHOW"]),
    ("SET on_error = |", ["skip", "fail", "auto"], ["lazy"]),
    ("RESET |", ["plan", "ALL"], ["plan = "]),
    ("SHOW |", ["TABLES", "CNNS", "LAYERS"], ["SELECT"]),
    ("SHOW LAYERS OF |", ["alexnet"], ["measures"]),
    ("DESCRIBE |", ["measures", "scans", "strokes", "_"], ["SHOW"]),
    ("DROP TABLE |", ["measures"], ["scans", "strokes"]),
    ("HELP |", ["explore", "create table"], []),
    ("CREATE IMAGES new FROM measures COLUMN |", ["scan_id"], []),
    ("CREATE TABLE new FROM 'mea|", ["measures.csv"], ["scans/"]),
    ("SELECT * FROM |", ["measures", "scans", "_"], ["ink"]),
    ("SELECT | FROM measures", ["ink", "FROM"], ["scans"]),
    (".ta|", [".tables"], [".mode"]),
    (".mode |", ["csv", "markdown"], []),
    ("SHOW TABLES; EXPLORE LAYERS | OF strokes; SHOW CNNS", ["conv4"], ["fc7"]),
    ("explore layers co| of strokes", ["conv1", "conv4"], ["fc5", "LIKE"]),
)  # fmt: skip


@pytest.mark.parametrize(("text", "wanted", "unwanted"), PLACES, ids=[place[0] for place in PLACES])
def test_the_menu_offers_what_fits(text: str, wanted: list[str], unwanted: list[str], world: World) -> None:
    found = texts(text, world)
    assert set(wanted) <= set(found)
    assert not set(unwanted) & set(found)


def test_layers_come_in_network_order_before_the_keywords(world: World) -> None:
    found = texts("EXPLORE LAYERS | OF strokes", world)
    assert found == ["conv1", "conv2", "conv3", "conv4", "fc5", "fc6", "logits", "*", "LIKE"]


def test_the_menu_says_what_a_name_stands_for(world: World) -> None:
    assert meaning("EXPLORE LAYERS | OF strokes", "conv1", world) == "48x48x16  147.5 KB  0.00199 GFLOPs"
    assert meaning("EXPLORE LAYERS |", "block2b_add", world).startswith("efficientnet_b0 56x56x24")
    assert meaning("EXPLORE LAYERS a OF |", "alexnet", world).endswith("no weights")
    assert meaning("EXPLORE strokes FROM |", "scans", world) == "896 images"
    assert meaning("EXPLORE strokes FROM scans JOIN |", "measures", world) == "896 rows, key scan_id"
    assert meaning(f"{QUERY} PREDICT |", "digit", world) == "integer, measures"
    assert meaning(f"{QUERY} TRAIN lr(|", "reg = ", world).startswith("0.01; ")


def test_tables_whose_key_says_how_they_join_come_first(world: World) -> None:
    assert texts("EXPLORE strokes FROM scans JOIN |", world)[:2] == ["measures", "prices"]


def test_columns_of_a_file_are_offered_once_it_has_been_read(world: World) -> None:
    text = "EXPLORE strokes FROM scans JOIN 'measures.csv' USING (|"
    end = time.monotonic() + 60
    while "scan_id" not in texts(text, world) and time.monotonic() < end:
        time.sleep(0.05)
    assert {"scan_id", "ink"} <= set(texts(text, world))


def test_nothing_is_offered_where_nothing_can_be_known(world: World) -> None:
    for text in ("EXPLORE 5 |", "CREATE TABLE |x", "-- a comment |", "/* |", "SELECT :para|"):
        assert not [offer for offer in offered(text, world) if offer.text != "IF"], text


def test_odd_names_are_offered_in_quotes(world: World) -> None:
    found = {offer.text for offer in complete("DESCRIBE ", 9, world).offers}
    assert found
    assert all(name.isidentifier() or name[0] == '"' for name in found)


def test_every_state_is_led_to_by_one_symbol() -> None:
    table = reader_of("").parser_state.parse_conf.states
    leading: dict[int, set[str]] = {}
    for actions in table.values():
        for symbol, (_, target) in actions.items():
            if isinstance(target, int):
                leading.setdefault(target, set()).add(symbol)
    assert all(len(found) == 1 for found in leading.values())
    assert set(symbols()) == set(leading)


def test_a_keyword_is_one_only_where_the_grammar_has_it() -> None:
    kinds = [token.type for token in tokens_of(reader_of("explore label from scans label label"))]
    assert kinds == ["EXPLORE", "NAME", "FROM", "NAME", "LABEL", "NAME"]
    assert language().terminals
