from dynadeep.train.evaluation import table2


def test_encoders_have_the_published_parameters_and_their_bytes() -> None:
    by_name = {row["name"]: row for row in table2.rows()}
    parameters = {name: row["parameters"] for name, row in by_name.items()}
    assert parameters == {
        "CAE32": 133_585,
        "two CAE32": 267_170,
        "two encoders, not shared": 167_796,
        "one shared encoder": 83_898,
        "one shared encoder, with its heads": 83_993,
    }
    assert by_name["one shared encoder"]["float32_bytes"] == 335_592


def test_int8_bytes_fold_the_normalisation_and_keep_wide_biases() -> None:
    size = table2.Size(weights=100, biases=10, normalisation=8)
    assert (size.parameters, size.float_bytes, size.int8_bytes) == (118, 472, 140)


def test_what_is_deployed_has_83_801_weights_and_biases() -> None:
    size = table2.sizes()["one shared encoder, with its heads"]
    assert size.weights + size.biases == 83_801
