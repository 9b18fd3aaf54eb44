"""What the docker stand-in makes of an Image's inputs, without a daemon."""

from __future__ import annotations

from typing import Any

import pytest

from twin.plugins import wire
from twin.plugins.docker import inputs

pytestmark = pytest.mark.usefixtures("folder")
NAME = "localhost:5000/app:staging"


def image(build: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "imageName": NAME,
        "build": {"context": "ctx", "platform": "linux/amd64", **(build or {})},
        "buildOnPreview": False,
        "skipPush": False,
        **more,
    }


def refused(news: dict[str, Any]) -> dict[str, str]:
    return dict(inputs.check(news)[1])


def test_a_plain_image_gets_its_dockerfile_and_digest() -> None:
    checked, failures = inputs.check(image())
    assert failures == []
    assert checked["build"]["dockerfile"] == "ctx/Dockerfile"
    assert len(checked["build"]["contextDigest"]) == 64


LOGIN = {"server": "s", "username": "u", "password": "p"}
REFUSED = {
    "targets": image(target="x"),
    "build.target": image({"target": "x"}),
    "build.cacheFrom": image({"cacheFrom": {"images": ["x"]}}),
    "build.builderVersion": image({"builderVersion": "BuilderBuildKit"}),
    "registry.email": image(registry={**LOGIN, "email": "e"}),
    "registry.password": image(registry={"server": "s", "username": "u"}),
    "skipPush": image(skipPush=True),
    "imageName": image(imageName="localhost:5000/app"),
    "build.platform": image({"platform": None}),
    "build.context": image({"context": "nowhere"}),
    "build.dockerfile": image({"dockerfile": "ctx/Other"}),
    "build": {"imageName": NAME, "build": "ctx"},
}
REFUSED["target"] = REFUSED.pop("targets")


@pytest.mark.parametrize(("place", "news"), REFUSED.items(), ids=REFUSED.keys())
def test_what_cannot_be_used_is_refused_by_name(place: str, news: dict[str, Any]) -> None:
    [(found, reason)] = refused(news).items()
    assert found == place
    assert f"`{place}`" in reason


def test_an_image_that_says_nothing_is_told_what_it_needs() -> None:
    assert sorted(refused({})) == ["build", "imageName"]


def test_a_digest_is_no_name_to_build() -> None:
    assert "imageName" in refused(image(imageName=f"localhost:5000/app@sha256:{'0' * 64}"))


def test_what_is_not_known_yet_is_left_alone() -> None:
    unknown = image({"args": {"KEY": wire.UNKNOWN}}, registry={**LOGIN, "password": wire.UNKNOWN})
    checked, failures = inputs.check(unknown)
    assert failures == []
    assert checked["build"]["args"] == {"KEY": wire.UNKNOWN}
    assert "contextDigest" in checked["build"]
    for build in (wire.UNKNOWN, {"context": wire.UNKNOWN, "platform": "linux/amd64"}):
        assert inputs.check({"imageName": NAME, "build": build}) == (
            {"imageName": NAME, "build": build},
            [],
        )


def test_secrets_stay_marked() -> None:
    password, key = wire.Secret("p"), wire.Secret("k")
    checked, _ = inputs.check(image({"args": {"KEY": key}}, registry={**LOGIN, "password": password}))
    assert checked["registry"]["password"] is password
    assert checked["build"]["args"]["KEY"] is key
    whole = image()
    whole["build"] = wire.Secret(whole["build"])
    checked, _ = inputs.check(whole)
    assert isinstance(checked["build"], wire.Secret)
    assert "contextDigest" in checked["build"].value


@pytest.mark.parametrize("around", [lambda x: x, wire.Secret], ids=["inside", "around"])
def test_every_secret_is_known_that_a_build_could_print(around: Any) -> None:
    build = {
        "args": around({"KEY": wire.Secret("first\nsecond"), "PLAIN": "plain"}),
        "dockerfile": "ctx/Dockerfile",
    }
    found = inputs.image(image(build, registry={**LOGIN, "password": "hidden"}))
    assert {"first\nsecond", "first", "second", "hidden"} <= set(found.secrets)
    assert ("plain" in found.secrets) == (around is wire.Secret)
    assert "hidden" not in repr(found)


def test_another_login_is_no_change_and_another_server_is() -> None:
    old = image(registry=LOGIN)
    assert inputs.diff(old, image(registry={**LOGIN, "password": "q", "username": "v"})) == {}
    assert inputs.diff(old, image(registry={**LOGIN, "server": "t"})) == {"registry": "UPDATE"}
    assert inputs.diff(old, image()) == {"registry": "DELETE"}
    assert inputs.diff(image(), old) == {"registry": "ADD"}


def test_a_changed_build_argument_is_a_change() -> None:
    assert inputs.diff(image({"args": {"A": "1"}}), image({"args": {"A": "2"}})) == {"build": "UPDATE"}
