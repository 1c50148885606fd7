"""What can go wrong in a set-up, and what to do about it: pure functions from symptoms to messages."""
import re

GIGABYTE = 1e9


class SetupError(Exception):
    """A set-up that cannot go on; its text tells the reader why and what to do."""


_PIP = (
    (r"Operation cancelled by user|KeyboardInterrupt", "Stopped"),
    (r"No space left on device|Errno 28|not enough space on the disk|WinError 112",
     "The disk is full. The environment needs about 3 GB (without --cpu on Linux up to 8 GB), some of it for a moment in the "
     "folder for temporary files. Free some space, or set TMPDIR to a folder on a larger disk"),
    (r"externally-managed-environment",
     "This Python belongs to the operating system, which allows no packages in it. Leave --here out"),
    (r"Long Path|WinError 206|path too long",
     "A path is too long for Windows. Allow long paths (Settings, System, For developers), or move the course to a short "
     "folder such as C:\\snnteach"),
    (r"Permission denied|Errno 13|WinError 5\b|Access is denied|Read-only file system",
     "A file could not be written. Check that this folder belongs to you, that no program (an open JupyterLab) uses .venv, "
     "and that it is not on a read-only disk"),
    (r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
     "The package index answered with a certificate that this Python does not trust. A proxy or a virus scanner often stands "
     "between: give pip its certificate (pip config set global.cert FILE). On macOS, Python from python.org comes with a "
     "program 'Install Certificates.command'; run it once"),
    (r"ProxyError|407 Proxy Authentication",
     "The proxy refused the connection. Set HTTPS_PROXY to its address, with name and password if it asks for them"),
    (r"name resolution|getaddrinfo failed|nodename nor servname|Name or service not known|Network is unreachable"
     r"|Connection refused|No route to host|NewConnectionError|NameResolutionError|ConnectTimeout|ConnectionResetError"
     r"|Read timed out|ReadTimeoutError|IncompleteRead|Could not fetch URL"
     r"|requirement (?!torch==)\S+ \(from versions: none\)",  # only torch has builds for some systems and sources for none
     "There is no way to the package index. Check that this machine is online (and HTTPS_PROXY, if you need a proxy)"),
    (r"No matching distribution found for torch|Could not find a version that satisfies the requirement torch",
     "PyTorch has no build for this Python on this machine. It needs a 64-bit Python, 3.11 to 3.13, on Linux, on Windows "
     "or on a Mac with Apple silicon. Install one from python.org, start the command with it, and add --recreate"),
    (r"No matching distribution found|Could not find a version that satisfies|requires a different Python|Requires-Python",
     "A pinned package has no build for this Python. Python 3.11 to 3.13 works: start the command with it, and add --recreate"),
    (r"No module named '?pip\b", "There is no pip in this environment; --recreate makes a new one"),
)


def classify_pip_failure(text):
    """Return what a failed pip run means and what to do, from what it printed.

    >>> classify_pip_failure("ERROR: Could not install: [Errno 28] No space left on device")[:17]
    'The disk is full.'
    """
    for pattern, message in _PIP:
        if re.search(pattern, text):
            return f"{message}. Run the same command again to go on where it stopped."
    return ("pip could not install the packages; its own message stands above. Run the same command again: it goes on where it "
            "stopped. If it fails again, add --recreate, which makes a new environment and keeps the old one.")


def missing_venv_message(absent, version, platform):
    """Return what to do where the modules `absent` (venv, ensurepip) are missing from a Python of this version.

    >>> print(missing_venv_message(["ensurepip"], (3, 12), "linux").splitlines()[1].strip())
    sudo apt install python3.12-venv
    """
    name = f"python{version[0]}.{version[1]}"
    message = f"This Python lacks {' and '.join(absent)}, so it cannot make an environment."
    if platform.startswith("linux"):
        return (f"{message} On Debian and Ubuntu:\n    sudo apt install {name}-venv\n"
                f"On other systems install the package of {name} that brings venv and pip; then run the same command again.")
    return f"{message} Install Python from python.org, which brings them, and run the same command again."


def check_disk(free, needed):
    """Raise SetupError unless `free` bytes are enough for `needed`.

    >>> check_disk(free=5e9, needed=3e9)
    """
    if free < needed:
        raise SetupError(f"The environment needs about {needed / GIGABYTE:.1f} GB, and this disk has {free / GIGABYTE:.1f} GB "
                         "free. Free some space and run the same command again (on Linux, --cpu needs the least).")


def classify_venv_failure(text, version, platform):
    """Return what a failed `python -m venv` means and what to do, from what it printed."""
    if re.search(r"ensurepip", text):
        return missing_venv_message(["ensurepip"], version, platform)
    if re.search(r"No space left|Errno 28|KeyboardInterrupt", text):
        return classify_pip_failure(text)
    return f"Python could not make the environment .venv. It said:\n{text.strip()[-600:]}"
