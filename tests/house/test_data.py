"""Data: what ships is the official data, and a damaged file is noticed."""
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from snnteach import data

PUBLISHED = {  # md5 of the unpacked test files, as they were first published
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}


def idx(array):
    """Write an array as an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


def test_mnist5k_shapes_types_and_classes():
    mnist = data.mnist5k()
    assert mnist.train_images.shape == (5000, 28, 28) and mnist.test_images.shape == (10_000, 28, 28)
    assert mnist.train_images.dtype == mnist.test_images.dtype == torch.uint8
    assert mnist.train_labels.dtype == mnist.test_labels.dtype == torch.int64
    assert mnist.train_labels.bincount().tolist() == [500] * 10
    assert mnist.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.train_labels[:200].bincount(minlength=10).min() > 5  # shuffled, so a slice is a fair sample


def test_mnist5k_test_set_is_the_official_one():
    with np.load(data.MNIST_FILE) as archive:
        for array, name in (("test_images", "t10k-images-idx3-ubyte.gz"), ("test_labels", "t10k-labels-idx1-ubyte.gz")):
            assert hashlib.md5(idx(archive[array])).hexdigest() == PUBLISHED[name]


def test_mnist5k_no_image_in_both_sets():
    mnist = data.mnist5k()
    test = {image.tobytes() for image in mnist.test_images.numpy()}
    assert not any(image.tobytes() in test for image in mnist.train_images.numpy())


def test_data_md_names_every_checksum():
    text = Path(data.__file__).with_name("DATA.md").read_text(encoding="utf-8")
    for checksum in [*data.SHA256.values(), *PUBLISHED.values()]:
        assert checksum in text


def test_mnist5k_notices_one_changed_pixel(tmp_path, monkeypatch):
    with np.load(data.MNIST_FILE) as archive:
        arrays = dict(archive)
    arrays["test_images"][17, 14, 14] ^= 1
    np.savez(tmp_path / "mnist.npz", **arrays)
    monkeypatch.setattr(data, "MNIST_FILE", tmp_path / "mnist.npz")
    with pytest.raises(RuntimeError, match=r"is damaged: test_images has sha256 \w{64}, expected 6d87418d.*git checkout"):
        data.mnist5k()


@pytest.mark.parametrize("content", [None, b"", b"version https://git-lfs", "half", "missing array"])
def test_mnist5k_damaged_file_says_what_to_do(tmp_path, monkeypatch, content):
    path = tmp_path / "mnist.npz"
    monkeypatch.setattr(data, "MNIST_FILE", path)
    if content == "half":
        whole = Path(data.__file__).with_name("mnist.npz").read_bytes()
        path.write_bytes(whole[:len(whole) // 2])
    elif content == "missing array":
        np.savez(path, train_images=np.zeros(3))
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"mnist\.npz cannot be read .*git checkout"):
        data.mnist5k()


def test_flat_scales_bytes_and_leaves_floats():
    images = torch.tensor([[[0, 255], [51, 102]]], dtype=torch.uint8)
    assert torch.allclose(data.flat(images), torch.tensor([[0, 1, 0.2, 0.4]]))
    assert data.flat(images).dtype == torch.float32
    assert torch.equal(data.flat(images.double() / 255), data.flat(images))
    assert data.flat(torch.zeros(0, 28, 28, dtype=torch.uint8)).shape == (0, 784)


@pytest.mark.parametrize("images, error", [
    (np.zeros((1, 28, 28)), TypeError), (torch.zeros(1, 28, 28, dtype=torch.int64), TypeError),
    (torch.zeros(28, 28), ValueError)])
def test_flat_refuses(images, error):
    with pytest.raises(error, match="flat: images must be"):
        data.flat(images)


def test_digits_are_stratified_and_scaled():
    digits = data.digits(seed=3)
    assert digits.train_images.shape == (1437, 8, 8) and digits.test_images.shape == (360, 8, 8)
    assert digits.train_images.dtype == torch.float32 and digits.train_labels.dtype == torch.int64
    assert digits.train_images.min() == 0 and digits.train_images.max() == 1
    assert set((digits.train_images * 16).unique().tolist()) == set(range(17))
    share = digits.test_labels.bincount() / digits.train_labels.bincount()
    assert share.min() > 0.23 and share.max() < 0.27
    assert torch.equal(digits.train_images, data.digits(seed=3).train_images)
    assert not torch.equal(digits.train_images, data.digits(seed=4).train_images)
    assert data.flat(digits.test_images).shape == (360, 64)


def test_validation_split_keeps_pairs_and_every_sample():
    inputs, targets = torch.arange(50.0)[:, None], torch.arange(50)
    state = torch.get_rng_state()
    split = data.validation_split(inputs, targets, fraction=0.3, seed=5)
    assert torch.equal(torch.get_rng_state(), state)
    assert len(split.train_inputs) == 35 and len(split.validation_inputs) == 15
    assert torch.equal(split.train_inputs[:, 0].long(), split.train_targets)
    assert torch.equal(split.validation_inputs[:, 0].long(), split.validation_targets)
    assert torch.cat([split.train_targets, split.validation_targets]).sort().values.tolist() == list(range(50))
    assert torch.equal(split.train_targets, data.validation_split(inputs, targets, 0.3, 5).train_targets)
    assert not torch.equal(split.train_targets, data.validation_split(inputs, targets, 0.3, 6).train_targets)


@pytest.mark.parametrize("length, fraction", [(9, 0.2), (10, 0.0), (10, 1.0), (10, -0.1), (10, 0.01)])
def test_validation_split_refuses(length, fraction):
    with pytest.raises(ValueError, match="validation_split: "):
        data.validation_split(torch.zeros(10, 2), torch.zeros(length), fraction)
