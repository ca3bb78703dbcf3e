"""The options of the reference experiment: each wrong one is answered with what is allowed."""

from pathlib import Path

import pytest

from seedproof.errors import UsageError
from seedproof.experiments.mnist_options import count_samples, parse


def refusal(*arguments):
    """The line that answers these arguments."""
    with pytest.raises(UsageError) as caught:
        parse(list(map(str, arguments)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_arguments_the_articles_numbers_and_the_data_at_hand_are_taken():
    assert vars(parse([])) == {
        "dataset": "digits",
        "folds": 10,
        "epochs": 10,
        "batch_size": 100,
        "samples": None,
        "seed": 0,
        "results": None,
        "no_predictions": False,
        "prepare": False,
    }


def test_each_option_can_be_given():
    sizes = ["--folds", "3", "--epochs", "1", "--batch-size", "5", "--samples", "12"]
    others = ["--dataset", "mnist", "--seed", "7", "--results", "r.txt"]
    assert vars(parse([*sizes, *others, "--no-predictions", "--prepare"])) == {
        "dataset": "mnist",
        "folds": 3,
        "epochs": 1,
        "batch_size": 5,
        "samples": 12,
        "seed": 7,
        "results": Path("r.txt"),
        "no_predictions": True,
        "prepare": True,
    }


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--folds", "1", "2 or more, for example 10"),
        ("--folds", "ten", "2 or more, for example 10"),
        ("--epochs", "0", "1 or more, for example 10"),
        ("--epochs", "1.5", "1 or more, for example 10"),
        ("--batch-size", "0", "1 or more, for example 100"),
        ("--batch-size", "-3", "1 or more, for example 100"),
        ("--samples", "0", "1 or more, for example 1000"),
        ("--samples", "", "1 or more, for example 1000"),
        ("--seed", "-1", "from 0 to 4294967295, for example 0"),
        ("--seed", "4294967296", "from 0 to 4294967295, for example 0"),
    ],
)
def test_a_number_out_of_range_is_answered_with_the_range(option, value, allowed):
    expected = f"argument {option}: found {value!r}, allowed is a whole number, {allowed}"
    assert expected in refusal(option, value)


def test_an_unknown_option_is_named():
    line = refusal("--fold", "3")
    assert "unrecognized arguments: --fold 3" in line
    assert "--help" in line


def test_more_folds_than_images_are_refused():
    line = refusal("--samples", 6, "--folds", 7)
    assert "found 7 folds for 6 images" in line
    assert "for example --folds 3" in line


@pytest.mark.parametrize(("samples", "folds"), [(2, 2), (3, 2)])
def test_too_few_images_to_train_and_validate_are_refused(samples, folds):
    line = refusal("--samples", samples, "--folds", folds)
    assert f"found {samples} images in {folds} folds, 1 of them to train on" in line
    assert "for example --samples 100 --folds 10" in line


@pytest.mark.parametrize("place", [".", "regular/below.txt"])
def test_a_result_file_that_cannot_be_written_is_refused(tmp_path, place):
    (tmp_path / "regular").touch()
    line = refusal("--results", tmp_path / place)
    assert "cannot be written" in line
    assert "for example results.txt" in line


def test_all_images_are_taken_unless_fewer_are_asked_for():
    assert count_samples(parse([]), 1797, "digits") == 1797
    assert count_samples(parse(["--samples", "12"]), 1797, "digits") == 12
    assert count_samples(parse(["--samples", "1797"]), 1797, "digits") == 1797


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--samples", "1798"], "found --samples 1798, allowed are the 1797 images of digits, "),
        (["--folds", "1798"], "found 1798 folds for 1797 images"),
    ],
)
def test_more_than_the_data_offer_is_refused(arguments, part):
    with pytest.raises(UsageError, match=part):
        count_samples(parse(arguments), 1797, "digits")
