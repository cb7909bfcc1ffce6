"""Vectors go to text and back without loss, and what is no vector is refused with its reason."""

from __future__ import annotations

import numpy as np
import pytest

from meetup2025.errors import InvalidVectorError
from meetup2025.vectors import check, from_text, single, to_text, unit

TINY = 5e-324  # the smallest number above zero


def random_vectors(*shape: int, dtype: str = "float64") -> np.ndarray:
    """Draw numbers of all sizes, of both signs."""
    generator = np.random.default_rng(5)
    return (generator.standard_normal(shape) * 10.0 ** generator.integers(-12, 12, shape)).astype(dtype)


# --- text


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", [1, 2, 512])
def test_round_trip(length, dtype):
    """Text gives back the very numbers that were written."""
    vector = random_vectors(length, dtype=dtype)
    assert np.array_equal(vector, from_text(to_text(vector)).astype(dtype))


def test_written_form():
    """The text has neither spaces nor brackets, and each number is as short as it can be."""
    assert to_text(np.array([0.1, -2.5, 1e-7], dtype="float32")) == "0.1,-2.5,1e-07"
    assert to_text(np.array([0.1, 1 / 3])) == "0.1,0.3333333333333333"
    assert to_text([3]) == "3.0"
    assert to_text([1, 0, -2]) == "1.0,0.0,-2.0"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1", [1]),
        ("-.0408,.5", [-0.0408, 0.5]),
        ("1E-3,1e3,+2,3.", [0.001, 1000, 2, 3]),
        ("[1,2]", [1, 2]),
        (" [ 1 ,\n2 ] ", [1, 2]),
        ("0,0,1E-300", [0, 0, 1e-300]),
        ("0,5E-324", [0, TINY]),
    ],
)
def test_forms_read(text, numbers):
    """Every form in which IRIS and its drivers write a vector is read."""
    vector = from_text(text)
    assert (vector.dtype, vector.tolist()) == (np.float64, numbers)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Got '' at item 1 of 1"),
        ("   ", "Got '' at item 1 of 1"),
        ("[]", "Got '' at item 1 of 1"),
        ("1,,2", "Got '' at item 2 of 3"),
        ("1,2,", "Got '' at item 3 of 3"),
        ("1,error: no picture", "Got 'error: no picture' at item 2 of 2"),
        ("error:1", "Got 'error:1' at item 1 of 1"),
        ("1 2", "Got '1 2' at item 1 of 1"),
        ("1;2", "Got '1;2' at item 1 of 1"),
        ("1_0,2", "Got '1_0' at item 1 of 2"),
        ("2,\uff11", "Got '\uff11' at item 2 of 2"),
        ("0x10", "Got '0x10' at item 1 of 1"),
        ("[1,2", "brackets"),
        ("1,2]", "brackets"),
        ("[[1,2]]", "Got '[1' at item 1 of 2"),
        ("1,nan", "Got nan at item 2"),
        ("-inf,1", "Got -inf at item 1"),
        ("1,Infinity", "Got inf at item 2"),
        ("1,1E400", "Got inf at item 2"),
        ("0,0,-0.0", "Got 3 zeros"),
        ("1E-400", "Got 1 zeros"),
    ],
)
def test_text_refused(text, reason):
    """Text that is no vector is refused with the item, and SQLCODE -258."""
    with pytest.raises(InvalidVectorError) as caught:
        from_text(text)
    assert reason in str(caught.value)
    assert caught.value.sqlcode == -258


@pytest.mark.parametrize("length", [1, 511, 513])
def test_wrong_length(length):
    """A vector of another length is refused with SQLCODE -257, as text and as array."""
    numbers = [0.5] * length
    for read in (
        lambda: from_text(to_text(numbers), dimension=512),
        lambda: check(numbers, dimension=512),
        lambda: check([numbers, numbers], dimension=512),
    ):
        with pytest.raises(InvalidVectorError, match=f"must have 512 items. Got {length}") as caught:
            read()
        assert caught.value.sqlcode == -257
    assert from_text(to_text(numbers), dimension=length).shape == (length,)


def test_writing_is_checked():
    """What is no vector is not written either."""
    with pytest.raises(InvalidVectorError, match="finite"):
        to_text([1, float("nan")])
    with pytest.raises(InvalidVectorError, match="one axis"):
        to_text([[1, 2], [3, 4]])


# --- arrays


@pytest.mark.parametrize(
    ("array", "reason", "sqlcode"),
    [
        (np.zeros(3), "Got 3 zeros;", -258),
        ([[1, 2], [0, 0]], "Got 2 zeros in row 2;", -258),
        ([[1, 2], [3, np.nan]], "Got nan at item 2 of row 2;", -258),
        ([np.inf, 1], "Got inf at item 1;", -258),
        ([[1, 2], [3]], "rows of one length", -258),
        (["1", "2"], "items of the type", -258),
        ([None, 1], "items of the type", -258),
        ([True], "items of the type", -258),
        (1.0, "Got ()", -258),
        (np.ones((1, 1, 1)), "Got (1, 1, 1)", -258),
        ([], "at least 1 items. Got 0", -257),
        (np.ones((2, 0)), "at least 1 items. Got 0", -257),
    ],
)
@pytest.mark.parametrize("function", [check, unit])
def test_array_refused(function, array, reason, sqlcode):
    """An array that holds no vectors is refused with the row and item."""
    with pytest.raises(InvalidVectorError) as caught:
        function(array)
    assert reason in str(caught.value)
    assert caught.value.sqlcode == sqlcode


@pytest.mark.parametrize("shape", [(1,), (2,), (512,), (0, 3), (1, 3), (2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_array_accepted(shape, dtype):
    """Vectors pass as they are; no rows are no error."""
    vectors = random_vectors(*shape, dtype=dtype)
    assert check(vectors, dimension=shape[-1]) is vectors


def test_integers_accepted():
    """Whole numbers become float64."""
    checked = check([[1, 2]])
    assert (checked.dtype, checked.tolist()) == (np.float64, [[1.0, 2.0]])


# --- units


def test_unit():
    """A vector keeps its direction and gets the length 1, in float64."""
    assert unit([3, 4]).tolist() == [0.6, 0.8]
    assert unit(np.array([[0, -2], [3, 4]], dtype="float32")).dtype == np.float64
    assert np.allclose(unit([[0, -2], [3, 4]]), [[0, -1], [0.6, 0.8]], rtol=0, atol=1e-15)
    assert unit(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("size", [TINY, 1e-310, 1e-300, 1e-160, 1, 1e160, 1e300])
def test_unit_of_extreme_size(size):
    """The norm neither vanishes nor overflows, down to the smallest number."""
    assert np.allclose(unit([size, -size]), [0.5**0.5, -(0.5**0.5)], rtol=0, atol=1e-15)


@pytest.mark.parametrize("size", [TINY, 1e-200, 1e-45, 1e-20, 1, 1e20, 1e38, 1e39, 1e200, 1e308])
def test_single_of_extreme_size(size):
    """A float64 vector of any size becomes a float32 one of the same direction."""
    found = single([[size, -size], [3, 4]])
    assert found.dtype == np.float32
    assert np.allclose(unit(found), [[0.5**0.5, -(0.5**0.5)], [0.6, 0.8]], rtol=0, atol=1e-7)


def test_single_keeps_float32():
    """A vector that float32 holds stays as it is, whatever its norm."""
    rows = np.array([[3, 4], [-1e-7, 5e9]], np.float32)
    assert np.array_equal(single(rows), rows)


def test_unit_leaves_its_argument():
    """The array given is not changed."""
    vectors = np.array([3.0, 4.0])
    unit(vectors)
    assert vectors.tolist() == [3.0, 4.0]
