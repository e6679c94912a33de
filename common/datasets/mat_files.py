"""MATLAB files, read where a damaged one does no harm."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

from common.datasets.files import first_sentence, path_text
from common.errors import InputError

TIMEOUT = 120  # seconds; a development kit takes one


def read_mat(wanted: Mapping[Path, str], kind: str) -> dict[Path, list]:
    """The elements of one array of each MATLAB file: texts, numbers, or dicts for records.

    Some damaged files end the process in SciPy's reader, so another process reads them.

    Args:
        wanted: the name of the array, by file.
        kind: what the files are, for the message.

    Raises:
        InputError: a file is missing, damaged or of another kind.
    """
    command = [sys.executable, "-P", str(Path(__file__).with_name("mat_reader.py"))]
    for path, key in wanted.items():
        command += [str(path), key]
    # It finds SciPy where this process does, and needs no threads.
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    problem = "SciPy's reader crashes on it"
    try:
        done = subprocess.run(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        output = done.stdout
        if done.returncode == 1:  # It ended by an exception of Python.
            problem = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired as error:
        output, problem = error.stdout or b"", "reading it does not end"
    # What follows the last line's end was cut off.
    answers, found = output.split(b"\n")[:-1], {}
    for path, answer in zip_longest(wanted, answers):
        answer = {"error": problem} if answer is None else json.loads(answer)
        if "error" in answer:
            raise InputError(
                f"{path_text(path)} cannot be used: it is no such file of {kind} "
                f"({first_sentence(answer['error'])})."
            )
        found[path] = answer["rows"]
    return found
