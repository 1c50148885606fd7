"""Data: what ships is the official data, and what is downloaded is either whole and right or not there."""
import gzip
import hashlib
import http.server
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from snnteach import data
from snnteach.data import download


def idx(array):
    """Write an array as an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


ARRAYS = {
    "train-images-idx3-ubyte.gz": np.arange(6 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(6, 28, 28),
    "train-labels-idx1-ubyte.gz": np.arange(6, dtype=np.uint8),
    "t10k-images-idx3-ubyte.gz": np.full((3, 28, 28), 7, np.uint8),
    "t10k-labels-idx1-ubyte.gz": np.array([2, 1, 0], np.uint8),
}
IMAGES = "train-images-idx3-ubyte.gz"


class Server:
    """A web server of a few files in memory; `faults` maps a name to what goes wrong with it, one entry a request."""

    def __init__(self):
        self.files = {name: gzip.compress(idx(array)) for name, array in ARRAYS.items()}
        self.faults, self.asked = {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                outer.asked.append(name)
                fault = outer.faults[name].pop(0) if outer.faults.get(name) else None
                body = outer.files[name]
                if fault == "slow":
                    time.sleep(2)
                if isinstance(fault, int):
                    return self.send_error(fault)
                self.send_response(200)
                if fault != "unsized":
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if fault in ("truncated", "unsized"):
                    body = body[:len(body) // 2]
                self.wfile.write(b"?" * len(body) if fault == "wrong" else body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/mnist/"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch):
    served = Server()
    monkeypatch.setattr(data, "FULL_MNIST_MD5", {n: hashlib.md5(idx(a)).hexdigest() for n, a in ARRAYS.items()})
    monkeypatch.setattr(download, "WAIT_SECONDS", 0)
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 5)
    yield served
    served.stop()


def whole_files(folder):
    """Return what lies in a folder, the locks left out."""
    return sorted(path.name for path in Path(folder).iterdir() if path.suffix != ".lock") if Path(folder).exists() else []


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
            assert hashlib.md5(idx(archive[array])).hexdigest() == data.FULL_MNIST_MD5[name]


def test_mnist5k_no_image_in_both_sets():
    mnist = data.mnist5k()
    test = {image.tobytes() for image in mnist.test_images.numpy()}
    assert not any(image.tobytes() in test for image in mnist.train_images.numpy())


def test_data_md_names_every_checksum():
    text = Path(data.__file__).with_name("DATA.md").read_text(encoding="utf-8")
    for checksum in [*data.SHA256.values(), *data.FULL_MNIST_MD5.values()]:
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


def test_full_mnist_downloads_once_and_announces(server, tmp_path, capsys):
    mnist = data.full_mnist(tmp_path, server.url)
    assert mnist.train_images.numpy().tolist() == ARRAYS[IMAGES].tolist()
    assert mnist.test_labels.tolist() == [2, 1, 0] and mnist.test_labels.dtype == torch.int64
    assert f"Downloading {server.url}{IMAGES} to {tmp_path}" in capsys.readouterr().out
    assert whole_files(tmp_path) == sorted(ARRAYS)
    server.stop()  # the cache needs no server
    again = data.full_mnist(tmp_path, server.url)
    assert torch.equal(again.train_images, mnist.train_images) and len(server.asked) == 4
    assert capsys.readouterr().out == ""


def test_full_mnist_default_folder(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SNNTEACH_HOME", str(tmp_path))
    data.full_mnist(base_url=server.url.rstrip("/"))
    assert whole_files(tmp_path / "cache" / "mnist") == sorted(ARRAYS)
    monkeypatch.delenv("SNNTEACH_HOME")
    assert "snnteach" in data._cache_folder().parts[-1] + data._cache_folder().parts[-2]


@pytest.mark.parametrize("fault", ["truncated", 503])
def test_full_mnist_tries_again(server, tmp_path, fault):
    server.faults[IMAGES] = [fault, fault]
    assert len(data.full_mnist(tmp_path, server.url).train_images) == 6
    assert server.asked.count(IMAGES) == 3


@pytest.mark.parametrize("fault, asked, error, message", [
    ("truncated", 3, ConnectionError, r"incomplete: expected \d+ bytes, got \d+.*mnist5k\(\)"),
    ("wrong", 1, download.DamagedFile, r"expected a gzip file with md5 \w{32} inside, got \d+ bytes"),
    ("unsized", 1, download.DamagedFile, r"expected a gzip file with md5 \w{32} inside, got \d+ bytes"),
    (404, 1, ConnectionError, r"404 Not Found.*mnist5k\(\)"),
    (500, 3, ConnectionError, r"500 .*mnist5k\(\)"),
])
def test_full_mnist_leaves_nothing_half(server, tmp_path, fault, asked, error, message):
    server.faults["t10k-images-idx3-ubyte.gz"] = [fault] * 3
    with pytest.raises(error, match=rf"t10k-images-idx3-ubyte\.gz.*{message}"):
        data.full_mnist(tmp_path, server.url)
    assert server.asked.count("t10k-images-idx3-ubyte.gz") == asked
    assert whole_files(tmp_path) == sorted(list(ARRAYS)[:2])


def test_full_mnist_refuses_another_file(server, tmp_path):
    other = gzip.compress(idx(ARRAYS[IMAGES] + 1))
    server.files[IMAGES] = other
    got = hashlib.md5(gzip.decompress(other)).hexdigest()
    with pytest.raises(download.DamagedFile, match=rf"{IMAGES}.*expected md5 {data.FULL_MNIST_MD5[IMAGES]}.*got {got}"):
        data.full_mnist(tmp_path, server.url)
    assert whole_files(tmp_path) == []


@pytest.mark.parametrize("damage", [lambda whole: whole[:-9], lambda whole: b"", lambda whole: gzip.compress(b"other")])
def test_full_mnist_replaces_a_damaged_copy(server, tmp_path, capsys, damage):
    data.full_mnist(tmp_path, server.url)
    (tmp_path / IMAGES).write_bytes(damage((tmp_path / IMAGES).read_bytes()))
    assert data.full_mnist(tmp_path, server.url).train_images.numpy().tolist() == ARRAYS[IMAGES].tolist()
    assert "is damaged; it is downloaded again" in capsys.readouterr().out
    assert server.asked.count(IMAGES) == 2


def test_full_mnist_ignores_the_half_file_of_a_killed_download(server, tmp_path):
    (tmp_path / (IMAGES + ".part")).write_bytes(b"half")
    assert len(data.full_mnist(tmp_path, server.url).train_images) == 6
    assert whole_files(tmp_path) == sorted(ARRAYS)


def test_full_mnist_offline_names_the_offline_choice(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "WAIT_SECONDS", 0)
    with pytest.raises(ConnectionError, match=r"could not be downloaded.*mnist5k\(\) needs no network"):
        data.full_mnist(tmp_path, "http://127.0.0.1:9/")
    assert whole_files(tmp_path) == []


def test_full_mnist_in_two_processes_downloads_once(server, tmp_path):
    server.faults[IMAGES] = ["slow", "slow"]  # long enough for the other process to come and wait
    program = ("import sys; from snnteach import data; data.FULL_MNIST_MD5 = eval(sys.argv[1]); "
               "print(len(data.full_mnist(sys.argv[2], sys.argv[3]).train_images))")
    command = [sys.executable, "-c", program, repr(data.FULL_MNIST_MD5), str(tmp_path), server.url]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for _ in range(2)]
    assert [process.communicate(timeout=120)[0].split()[-1] for process in both] == ["6", "6"]
    assert sorted(server.asked) == sorted(ARRAYS)
