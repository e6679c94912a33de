"""Files of models: whole or absent, and harmless whoever wrote them."""

import io
import json
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import MODELS

from common.errors import InputError
from common.files import PARTIAL, locked, replacing
from common.models import AE
from common.models.base import ImageModel


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model = MODELS["ae"]()
    model.compile()
    model.save(path)
    return path


def changed(saved, path, **members):
    """A copy of the file with other members."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, members.pop(name.replace(".", "_"), None) or old.read(name))
        for name, content in members.items():
            new.writestr(name, content)
    return path


def config_of(saved):
    return json.loads(zipfile.ZipFile(saved).read("config.json"))


def refused(path, words=None):
    with pytest.raises(InputError, match=words) as caught:
        ImageModel.load(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 700


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wAAAAA="}}},
}
HOSTILE = {
    "a Lambda with code": LAMBDA,
    "a foreign class": {"module": "subprocess", "class_name": "Popen", "config": {"args": "x"}},
    "a function": {"module": "os", "class_name": "function", "config": "system"},
    "a module path": {"module": "../../tmp/evil", "class_name": "Evil", "config": {}},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_in_a_file_is_run(what, saved, tmp_path):
    refused(changed(saved, tmp_path / "a.keras", config_json=json.dumps(HOSTILE[what])))
    inside = config_of(saved)
    inside["config"]["encoder"] = HOSTILE[what]
    refused(changed(saved, tmp_path / "b.keras", config_json=json.dumps(inside)))


@pytest.mark.parametrize("option", [{"widths": [10**5, 10**5]}, {"latent_dim": 10**9}])
def test_a_config_that_asks_for_more_than_the_file_holds_is_refused_at_once(
    option, saved, tmp_path
):
    config = config_of(saved)
    config["config"] |= option
    refused(changed(saved, tmp_path / "m.keras", config_json=json.dumps(config)), "more weights")


def test_declared_shapes_are_not_believed(saved, tmp_path):
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_dataset("vars/0", (10**11,), "float32")
    path = changed(saved, tmp_path / "m.keras", model_weights_h5=content.getvalue())
    refused(path, "more values than it holds")


def test_members_that_lead_out_are_refused(saved, tmp_path):
    refused(changed(saved, tmp_path / "m.keras", **{"../evil.txt": b"x"}), "lead out")


def test_deep_json_is_refused(saved, tmp_path):
    refused(changed(saved, tmp_path / "m.keras", config_json=b"[" * 100_000 + b"]" * 100_000))


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = MODELS["ae"]()
    model.compile()
    model.trainable_variables[0].assign(np.full(model.trainable_variables[0].shape, np.nan))
    model.save(tmp_path / "m.keras")
    refused(tmp_path / "m.keras", "NaN or infinite weights")


def test_optimizer_state_that_is_missing_is_noticed(saved, tmp_path):
    content = io.BytesIO(zipfile.ZipFile(saved).read("model.weights.h5"))
    with h5py.File(content, "r+") as file:
        del file["optimizer/vars/4"]
    path = changed(saved, tmp_path / "m.keras", model_weights_h5=content.getvalue())
    refused(path, "Skipping variable loading")


def check_damage(saved, path, damage):
    content = bytearray(saved.read_bytes())
    for place, byte in damage["bytes"]:
        content[place % len(content)] = byte
    path.write_bytes(content[: len(content) - damage["cut"] % len(content)])
    try:
        model = AE.load(path)
    except InputError:
        return
    whole = AE.load(saved)
    for mine, theirs in zip(model.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


DAMAGE = st.fixed_dictionaries(
    {
        "bytes": st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 255)), max_size=5),
        "cut": st.one_of(st.just(0), st.integers(0, 10**7)),
    }
)


@given(damage=DAMAGE)
@settings(max_examples=10, derandomize=True, deadline=None)
def test_damage_is_noticed(saved, tmp_path_factory, damage):
    check_damage(saved, tmp_path_factory.getbasetemp() / "damaged.keras", damage)


@pytest.mark.slow
@given(damage=DAMAGE)
@settings(max_examples=400, derandomize=True, deadline=None)
def test_much_damage_is_noticed(saved, tmp_path_factory, damage):
    check_damage(saved, tmp_path_factory.getbasetemp() / "damaged.keras", damage)


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    path, model = tmp_path / "m.keras", MODELS["ae"]()
    model.save(path)
    before = path.read_bytes()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.saving, "save_model", full)
    monkeypatch.setattr("keras.src.saving.saving_api.save_model", full)
    with pytest.raises(OSError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]


def test_a_file_is_replaced_and_a_links_target_is_not(tmp_path):
    target, link = tmp_path / "thesis.txt", tmp_path / "m.txt"
    target.write_text("of somebody")
    link.symlink_to(target)
    with replacing(link) as partial:
        assert partial.name.startswith(PARTIAL)
        partial.write_text("new")
    assert link.read_text() == "new" and target.read_text() == "of somebody"


def test_a_lock_names_its_holder_and_goes_with_it(tmp_path):
    path = tmp_path / ".lock"
    script = (
        "import sys, pathlib; from common.files import locked\n"
        "with locked(pathlib.Path(sys.argv[1]), 'it'): print('in', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as other:
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(InputError, match=f"Process {other.pid} uses it"), locked(path, "it"):
            pytest.fail("two hold it")
        other.kill()
    with locked(path, "it"):
        assert path.exists()
    assert not path.exists()
