"""Real data for the course: MNIST-5k and scikit-learn's digits without a network."""
import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

MNIST_FILE = Path(__file__).with_name("mnist.npz")
SHA256 = {  # of the bytes of each array in C order; the archive itself stores time stamps
    "train_images": "ec61818cfb8ac4ac383c8480808d7bc6d41e55317be7e8008e6ebc0634fc2ad9",
    "train_labels": "d9d3383f4b9a098a500cb9f378b9178abbc3ea27880e761eabbfa8d5e436d08b",
    "test_images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "test_labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


class MNIST(NamedTuple):
    """Handwritten digits: images uint8 [n, 28, 28], 0 to 255, and labels int64 [n], 0 to 9."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


class Digits(NamedTuple):
    """Small handwritten digits: images float32 [n, 8, 8], 0 to 1, and labels int64 [n], 0 to 9."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


class Split(NamedTuple):
    """Samples to train on and samples to choose settings by."""

    train_inputs: torch.Tensor
    train_targets: torch.Tensor
    validation_inputs: torch.Tensor
    validation_targets: torch.Tensor


def mnist5k():
    """Load 5000 training images (500 a class, shuffled) and the 10,000 test images of MNIST, offline.

    Returns:
        MNIST(train_images [5000, 28, 28], train_labels [5000], test_images [10000, 28, 28], test_labels [10000]).

    Raises:
        RuntimeError: the file is missing or damaged (the sha256 of every array is verified).

    Source: LeCun, Cortes, Burges, the MNIST database; provenance and licence in `snnteach/data/DATA.md`.

    >>> data = mnist5k()
    >>> data.train_images.shape, data.train_labels[:5].tolist()
    (torch.Size([5000, 28, 28]), [3, 9, 3, 4, 9])
    """
    try:
        with np.load(MNIST_FILE) as archive:
            arrays = {name: archive[name] for name in SHA256}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise RuntimeError(_damaged(f"cannot be read ({error})")) from error
    for name, expected in SHA256.items():
        got = hashlib.sha256(np.ascontiguousarray(arrays[name])).hexdigest()
        if got != expected:
            raise RuntimeError(_damaged(f"is damaged: {name} has sha256 {got}, expected {expected}"))
    return _mnist(torch.from_numpy(array) for array in arrays.values())


def _damaged(what):
    return f"mnist5k: {MNIST_FILE} {what}. Restore it: git checkout -- snnteach/data/mnist.npz, or install snnteach again."


def _mnist(tensors):
    train_images, train_labels, test_images, test_labels = tensors
    return MNIST(train_images, train_labels.long(), test_images, test_labels.long())


def flat(images):
    """Turn images into rows of numbers between 0 and 1.

    Args:
        images: [B, height, width]; uint8 is divided by 255, floating point is taken as it is.

    Returns:
        float32 [B, height * width]: [B, 784] for MNIST, [B, 64] for the digits.

    Raises:
        TypeError: images neither uint8 nor floating point.
        ValueError: images not [B, height, width].

    >>> flat(torch.full((2, 28, 28), 255, dtype=torch.uint8)).sum(dim=1).tolist()
    [784.0, 784.0]
    """
    if not isinstance(images, torch.Tensor) or not (images.dtype == torch.uint8 or images.is_floating_point()):
        raise TypeError(f"flat: images must be a uint8 or floating-point tensor, got {getattr(images, 'dtype', type(images))}.")
    if images.dim() != 3:
        raise ValueError(f"flat: images must be [B, height, width], got shape {tuple(images.shape)}.")
    rows = images.flatten(1).float()
    return rows / 255 if images.dtype == torch.uint8 else rows


def validation_split(inputs, targets, fraction=0.2, seed=0):
    """Set a random part of the training samples aside, to choose settings by without looking at the test set.

    Args:
        inputs, targets: samples and their targets, [B, ...] each.
        fraction: part that is set aside, rounded to whole samples; at least one sample stays on either side.
        seed: seed of the shuffle.

    Returns:
        Split(train_inputs, train_targets, validation_inputs, validation_targets).

    Raises:
        ValueError: inputs and targets differ in length, or one side would be empty.

    >>> split = validation_split(torch.arange(10), torch.arange(10), fraction=0.3)
    >>> len(split.train_inputs), len(split.validation_inputs)
    (7, 3)
    """
    if len(inputs) != len(targets):
        raise ValueError(f"validation_split: {len(inputs)} inputs but {len(targets)} targets.")
    held_out = round(fraction * len(inputs))
    if not 0 < held_out < len(inputs):
        raise ValueError(f"validation_split: fraction {fraction} of {len(inputs)} samples leaves one side empty.")
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(seed))
    validation, train = order[:held_out], order[held_out:]
    return Split(inputs[train], targets[train], inputs[validation], targets[validation])


def digits(seed=0):
    """Load scikit-learn's 1797 digits of 8 x 8 pixels, split into 1437 to train on and 360 to test on.

    Args:
        seed: seed of the split, which keeps the share of each class.

    Returns:
        Digits(train_images [1437, 8, 8], train_labels [1437], test_images [360, 8, 8], test_labels [360]).

    Source: Alpaydin and Kaynak (1998), doi:10.24432/C50P49, as shipped by scikit-learn; grey values divided by 16.

    >>> data = digits()
    >>> data.train_images.shape, data.train_images.max().item()
    (torch.Size([1437, 8, 8]), 1.0)
    """
    from sklearn.datasets import load_digits  # here: its second of import is for those who use it
    from sklearn.model_selection import train_test_split

    source = load_digits()
    images, labels = (source.images / 16).astype(np.float32), source.target.astype(np.int64)
    split = train_test_split(images, labels, test_size=360, stratify=labels, random_state=seed)
    train_images, test_images, train_labels, test_labels = map(torch.from_numpy, split)
    return Digits(train_images, train_labels, test_images, test_labels)
