from dynadeep.codegen.markdown import table


def test_a_table_has_a_line_of_headings_a_rule_and_a_line_for_each_row() -> None:
    assert table(("", "flash"), [("board", "12"), ("other", "")]) == [
        "| | flash |",
        "|---|---|",
        "| board | 12 |",
        "| other | |",
    ]
