"""Images: as many tokens each as their size and quality have, told by the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.policy.path import told_user
from farthing.wire.dialect import Answer, Ask, Usage
from farthing.wire.surfaces.images import IMAGE_EDITS, IMAGES

KIND = b"multipart/form-data; boundary=b"


def ask(**fields: Any) -> Ask:
    return IMAGES.read(json.dumps(fields).encode(), b"application/json", None)


def form(*fields: tuple[str, bytes]) -> Ask:
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), b'; filename="f"' if name.startswith(("im", "mask")) else b"", content)
        for name, content in fields
    )
    return IMAGE_EDITS.read(parts + b"--b--\r\n", KIND, None)


def test_images_are_made_and_previews_of_them() -> None:
    of = ask(model="m", prompt="x", n=3, partial_images=2)
    assert (of.model, of.made_images, of.extra_output) == ("m", 3, 600)
    assert of.unbounded == ()
    assert (ask().made_images, ask(n=None).made_images) == (1, 1)


def test_a_form_says_the_same() -> None:
    of = form(("model", b"m"), ("n", b"3"), ("partial_images", b"2"), ("stream", b"false"))
    assert (of.model, of.made_images, of.extra_output, of.stream) == ("m", 3, 600, False)
    assert form(("stream", b"true")).stream


def test_a_form_names_its_end_user_as_json_does() -> None:
    for of in (form(("user", b'a"nn')), ask(user='a"nn')):
        assert told_user(of.fields, IMAGE_EDITS.users) == 'a"nn'
    assert told_user(form(("model", b"m")).fields, IMAGE_EDITS.users) == ""


def test_images_that_are_sent_count_by_number_and_not_by_bytes() -> None:
    of = form(("image[]", b"1234"), ("image[]", b"12"), ("mask", b"123"), ("prompt", b"1"))
    assert (of.images, of.opaque_bytes) == (3, 9)
    of = ask(images=[{"image_url": "https://x"}, {"file_id": "y"}], mask={"file_id": "z"})
    assert of.images == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"size": "4096x4096"},
        {"quality": "max"},
        {"output_format": "svg"},
        {"stream": True, "n": 2},
    ],
)
def test_what_has_no_published_count_has_no_bound(fields: dict[str, Any]) -> None:
    assert len(ask(**fields).unbounded) == 1
    told = [(k, json.dumps(v).strip('"').encode()) for k, v in fields.items()]
    assert len(form(*told).unbounded) == 1


@pytest.mark.parametrize("fields", [{"n": 0}, {"n": -1}, {"partial_images": -1}, {"n": "x"}])
def test_less_than_an_image_is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        ask(**fields)


DETAILS = {"input_tokens_details": {"image_tokens": 4, "text_tokens": 6}}


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"input_tokens": 10, "output_tokens": 272}, Usage(input=10, output_image=272)),
        (
            {"input_tokens": 10, "output_tokens": 272, **DETAILS},
            Usage(input=6, input_image=4, output_image=272),
        ),
        (
            {
                "input_tokens": 10,
                "output_tokens": 272,
                "output_tokens_details": {"text_tokens": 2, "image_tokens": 270},
            },
            Usage(input=10, output=2, output_image=270),
        ),
        ({"input_tokens": 10}, None),
        ({"input_tokens": -1, "output_tokens": 1}, None),
        (None, None),
    ],
)
def test_the_usage_of_an_answer(usage: object, read: Usage | None) -> None:
    assert IMAGES.read_answer(json.dumps({"data": [], "usage": usage}).encode()).usage == read


def test_a_drawing_by_another_model_is_not_priced_by_half() -> None:
    usage = {"input_tokens": 1, "output_tokens": 1}
    told = {"usage": usage, "svg_usage": {**usage, "model": "m"}}
    assert IMAGES.read_answer(json.dumps(told).encode()) == Answer()
