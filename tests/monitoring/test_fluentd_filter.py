"""The filter that hides secrets, run by Debian's Ruby with the configuration's own expressions.

Of fluentd, which is in no registry, there is what the filter uses: a class to inherit from, and a register.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from model import fluentd
from model.settings_logging import Logging
from tests.checkout import CHECKOUT
from tests.unit.log_lines import HIDDEN, NAMES, OTHER_NAMES, lines, long_lines
from twin import debian_tools

if TYPE_CHECKING:
    from pathlib import Path

RUBY = "3.1"
FLUENTD = """
module Fluent
  module Plugin
    KNOWN = {}
    def self.register_filter(name, made) = KNOWN[name] = made
    class Filter
      def self.config_param(name, kind) = kind == :regexp ? attr_writer(name) : raise(name.to_s)
    end
  end
end
"""
DRIVER = r"""
require "json"
given = JSON.parse($stdin.read)
require given["file"]
filter = Fluent::Plugin::KNOWN.fetch(given["parameters"].delete("@type")).new
given["parameters"].each do |name, value|
  source, options = value.match(%r{\A/(.*)/(i?)\z}).captures
  filter.public_send("#{name}=", Regexp.new(source, options == "i" ? Regexp::IGNORECASE : 0))
end
no_text = [{ "message" => "\xFF password=hunter2".b }, { "\xFFtoken".b => "hunter2" }]
puts JSON.generate((given["records"] + no_text).map { |record| filter.filter("tag", 0, record.freeze) })
"""


@pytest.fixture(scope="module")
def ruby(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs the filter over records."""
    program = debian_tools.unpacked(f"ruby{RUBY}") / "usr/bin" / f"ruby{RUBY}"
    library = debian_tools.unpacked(f"libruby{RUBY}") / "usr/lib"
    [native] = library.glob("*-linux-gnu")
    paths = [library / "ruby" / f"{RUBY}.0", native / "ruby" / f"{RUBY}.0"]
    env = {**os.environ, "LD_LIBRARY_PATH": str(native), "RUBYLIB": ":".join(map(str, paths))}
    folder: Path = tmp_path_factory.mktemp("fluentd")
    (folder / "fluent" / "plugin").mkdir(parents=True)
    (folder / "fluent" / "plugin" / "filter.rb").write_text(FLUENTD)
    [label] = [one for one in fluentd.configuration(Logging(sink="file")) if one.argument == "@EVENTS"]
    [filter_] = [one for one in label.inside if one.parameters["@id"] == "secrets"]
    parameters = {key: value for key, value in filter_.parameters.items() if key != "@id"}
    file = str(CHECKOUT / "manifests" / "filter_hide_secrets.rb")

    def run(*records: Any) -> Any:
        done = subprocess.run(
            [str(program), "--disable-gems", "-I", str(folder), "-e", DRIVER],
            input=json.dumps({"file": file, "parameters": parameters, "records": records}),
            env=env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_secrets_are_hidden_in_every_text_at_any_depth(ruby: Any) -> None:
    deep = {
        "kubernetes": {"labels": {"x": [{"url": "redis://u:hunter2@r/0"}, "Authorization: Bearer hunter2"]}}
    }
    shown, *_ = ruby(deep)
    labels = {"x": [{"url": "redis://u:[hidden]@r/0"}, "Authorization: Bearer [hidden]"]}
    assert shown == {"kubernetes": {"labels": labels}}


def test_what_is_named_like_a_secret_is_hidden_whole(ruby: Any) -> None:
    record = {
        "message": '{"password": "hunter2", "user": "a"}',
        "db_password": "two words",
        "headers": {"X-Api-Key": ["hunter2"], "access_token": 12, "Proxy-Authorization": {"a": "hunter2"}},
    }
    hidden = "[hidden]"
    shown, *_ = ruby(record)
    assert shown == {
        "message": '{"password": "[hidden]", "user": "a"}',
        "db_password": hidden,
        "headers": {"X-Api-Key": hidden, "access_token": hidden, "Proxy-Authorization": hidden},
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_secret_of_the_stack_is_hidden_by_its_name(ruby: Any, name: str) -> None:
    shown, *_ = ruby({"kubernetes": {name: ["two words"]}, f"app.{name}": 7})
    assert shown == {"kubernetes": {name: HIDDEN}, f"app.{name}": HIDDEN}


def test_ruby_hides_in_a_line_what_python_does(ruby: Any) -> None:
    given = lines()
    *shown, _, _ = ruby(*({"message": line} for line, _ in given))
    assert [record["message"] for record in shown] == [wanted for _, wanted in given]


def test_a_long_line_is_read_once(ruby: Any) -> None:
    """Within the minute that Ruby has for all of them; if it began again and again one would take longer."""
    given = [{"message": line} for line in long_lines(100_000)]
    assert len(ruby(*given)) == len(given) + 2


def test_names_that_say_what_went_wrong_pass(ruby: Any) -> None:
    record = dict.fromkeys(OTHER_NAMES, "two words")
    shown, *_ = ruby(record)
    assert shown == record


def test_everything_else_passes_as_it_is(ruby: Any) -> None:
    record = {"message": "tokens used: 12", "n": 1, "f": 0.5, "b": True, "no": None, "tokens": [1], "e": ""}
    shown, *_ = ruby(record)
    assert shown == record


def test_bytes_that_are_no_text_are_no_way_around_it(ruby: Any) -> None:
    assert ruby() == [{"message": "\ufffd password=[hidden]"}, {"\ufffdtoken": "[hidden]"}]
