"""The image, its server and the workflow: linted, held to rules, and their scripts run beside a double of IRIS."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import container_rules
import hub
import published
import pytest
from container_rules import COMPOSE, ROOT, RULES, WORKFLOW, WORKFLOWS, jobs, read_files, scripts, steps

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES = read_files()

# Rule, file, what is changed in it, and into what: each breaks the rule.
MERGE = "iris-docker/merge.cpf"
SCRIPT = "iris-docker/iris.script"
INSIDE = "iris-docker/test-in-process"
MODELS = WORKFLOWS[1]
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
BREACHES = [
    ("documented_merge", MERGE, "[Actions]", "[Startup]"),
    ("documented_merge", MERGE, "InstallLocale", "InstalLocale"),
    ("documented_merge", MERGE, "AutheEnabled=48", "AuthEnabled=48"),
    ("documented_merge", MERGE, "Enabled=1", "Enabled="),
    ("documented_merge", MERGE, "InstallLocale:Name=jpuw", "InstallLocale"),
    ("copied_paths", "Dockerfile", "COPY --chown=51773:51773 preload", "COPY --chown=51773:51773 preloads"),
    ("copied_paths", "Dockerfile", "COPY --chown=51773:51773 src", "COPY src"),
    ("copied_paths", ".dockerignore", "*\n", "**/x\n"),
    ("copied_paths", ".dockerignore", "!src\n", "!src\n!tests\n"),
    ("copied_paths", ".dockerignore", "!LICENSE\n", ""),
    ("copied_paths", "Dockerfile", "COPY --from=model --chown=51773:51773", "COPY --from=model"),
    ("model_alone", "Dockerfile", "COPY --from=model --chown=51773:51773 /models /opt/models\n", ""),
    ("model_alone", "Dockerfile", "51773 /models /opt/models", "51773 /usr/local /usr/local"),
    ("model_alone", "Dockerfile", "51773 /models /opt/models", "51773 /models /opt/model"),
    ("model_alone", "Dockerfile", "/models:/opt/models", "/models"),
    ("model_alone", "Dockerfile", "EXPOSE", "RUN pip install torch\nEXPOSE"),
    ("one_owner", "Dockerfile", "\nUSER 51773\n", "\n"),
    ("one_owner", "Dockerfile", "--owner=51773", "--owner=1000"),
    ("one_owner", "Dockerfile", "--chown=51773:51773 src", "--chown=51773:0 src"),
    ("named_paths", "Dockerfile", "iris-docker/start", "iris-docker/main"),
    ("named_paths", "Dockerfile", "iris-docker/build", "iris-docker/make"),
    ("named_paths", "iris-docker/start", "iris-docker/started", "iris-docker/after"),
    ("named_paths", "iris-docker/started", "$scripts/load", "$scripts/upgrade"),
    ("named_paths", "iris-docker/build", "> image\n", "> image-id\n"),
    ("named_paths", WORKFLOW, "iris-docker/session", "iris-docker/terminal"),
    ("named_paths", WORKFLOW, "iris-docker/test-in-process", "iris-docker/test-inside"),
    ("named_paths", INSIDE, "iris-docker/compose.yaml", "iris-docker/compose.yml"),
    ("folders_of_this_machine", COMPOSE, "context: ..", "context: ./server"),
    ("folders_of_this_machine", COMPOSE, "/meetup2025/samples}", "/meetup2025/sample}"),
    ("pinned", "Dockerfile", "iris-community:2026.1", "iris-community"),
    ("pinned", "Dockerfile", "iris-community:2026.1", "iris-community:latest-em"),
    ("pinned", "Dockerfile", "python:3.12-slim", "python:slim"),
    ("pinned", "Dockerfile", "-slim@sha256:", "-slim AS was-"),
    ("pinned", "Dockerfile", "zpm/0.10.9/", "zpm/newest/"),
    ("pinned", COMPOSE, "meetup2025:0.2.0", "meetup2025"),
    ("pinned", WORKFLOW, '"2026.2"', '"preview"'),
    ("pinned", WORKFLOW, CHECKOUT, "actions/checkout@v7"),
    ("one_version", COMPOSE, "meetup2025:0.2.0", "meetup2025:0.0.1"),
    ("loopback_ports", COMPOSE, "127.0.0.1:1972:1972", "1972:1972"),
    ("loopback_ports", COMPOSE, "127.0.0.1:52773:52773", "0.0.0.0:52773:52773"),
    ("kept_data", COMPOSE, "ISC_DATA_DIRECTORY: /durable/iris", "ISC_DATA_DIRECTORY: /durable"),
    ("kept_data", COMPOSE, "ISC_DATA_DIRECTORY: /durable/iris", "LANG: C.UTF-8"),
    ("kept_data", COMPOSE, "data:/durable", "data:/data"),
    ("kept_data", "Dockerfile", " /durable ", " "),
    ("mounted_settings", COMPOSE, ":-models}:/models", ":-models}:/data"),
    ("mounted_settings", "Dockerfile", "MEETUP2025_PHOTOS=/photos", "MEETUP2025_PHOTOS=/pictures"),
    ("mounted_settings", COMPOSE, "read_only: true", "read_only: false"),
    ("mounted_settings", COMPOSE, "create_host_path: false", "create_host_path: true"),
    ("no_passwords", COMPOSE, "hostname: iris", "hostname: iris\n    IRIS_PASSWORD: demo"),
    ("no_passwords", "iris-docker/start", "password=$(cat", "password=tai_to_hirame $(cat"),
    ("no_passwords", "iris-docker/started", '("ChangePassword") = 0', '("Password") = "tai"'),
    ("no_passwords", SCRIPT, '"USER"', '"SYS"'),
    ("no_passwords", MERGE, "[Actions]", "[Actions]\nModifyUser:Name=_SYSTEM,PasswordHash=00"),
    ("no_passwords", INSIDE, "IRISPASSWORD=$MEETUP2025_IRIS_PASSWORD", "IRISPASSWORD=tai"),
    ("no_passwords", WORKFLOW, "=$(openssl rand -hex 16)", "=tai"),
    ("known_variables", COMPOSE, "MEETUP2025_MODEL:", "MEETUP2025_MODELL:"),
    ("known_variables", "Dockerfile", "MEETUP2025_MODELS=", "MEETUP2025_FOLDER="),
    ("known_variables", INSIDE, "IRISNAMESPACE", "IRISNAME"),
    ("known_variables", COMPOSE, "ISC_DATA_DIRECTORY", "ISC_DATA_FOLDER"),
    ("known_variables", "iris-docker/start", "set MEETUP2025_IRIS_PASSWORD", "set MEETUP2025_PASSWORD"),
    ("whole_lines", SCRIPT, '"ck")', '"ck"'),
    ("whole_lines", SCRIPT, '"USER"', '"USER'),
    ("whole_lines", "iris-docker/started", "if 'status", "if 'status {"),
    ("whole_lines", "iris-docker/load", '$*":1', "$*:1"),
    ("checked_statuses", SCRIPT, "if 'status do $system.OBJ", "if status do $system.OBJ"),
    ("checked_statuses", "iris-docker/started", "Terminate($job, 1)", "Terminate($job)"),
    ("least_rights", WORKFLOW, "contents: read", "contents: write"),
    ("least_rights", WORKFLOW, "    timeout-minutes: 60", "    permissions: write-all\n    timeout-minutes: 60"),
    ("least_rights", WORKFLOW, "  pull_request:", "  pull_request_target:"),
    ("least_rights", WORKFLOW, "persist-credentials: false", "fetch-depth: 1"),
    ("least_rights", WORKFLOW, "run: .ci/run", "run: .ci/run ${{ github.head_ref }}"),
    ("least_rights", WORKFLOW, 'REQUIRE_IRIS: "1"', "REQUIRE_IRIS: ${{ secrets.KEY }}"),
    ("least_rights", MODELS, "contents: read", "contents: write"),
    ("least_rights", MODELS, "numbers[@]", "numbers[@] ${{ matrix.claims }}"),
    ("bounded_jobs", MODELS, "cancel-in-progress: true", "cancel-in-progress: false"),
    ("bounded_jobs", WORKFLOW, "    timeout-minutes: 120\n", ""),
    ("bounded_jobs", WORKFLOW, "cancel-in-progress: true", "cancel-in-progress: false"),
    ("tested_images", WORKFLOW, '["2026.1", "2026.2"]', '["2025.1", "2026.2"]'),
    ("tested_images", WORKFLOW, '["2026.1", "2026.2"]', '["2026.1"]'),
]

# --- the files ------------------------------------------------------------------------------------------------------


def test_files_keep_the_rules() -> None:
    """The files keep each rule."""
    assert [(rule.__name__, fault) for rule in RULES for fault in rule(FILES)] == []


def is_found(rule: str, name: str, old: str, new: str) -> bool:
    """Check that a rule finds a file at fault once a text in it is changed."""
    changed = {**FILES, name: FILES[name].replace(old, new)}
    return old in FILES[name] and any(getattr(container_rules, rule)(changed))


def test_rules_find_their_breaches() -> None:
    """Each rule finds a file that breaks it."""
    assert [breach for breach in BREACHES if not is_found(*breach)] == []


def test_every_rule_is_proved() -> None:
    """Each rule has a file that breaks it."""
    assert {rule for rule, *_ in BREACHES} == {rule.__name__ for rule in RULES}


def test_scripts_can_be_run() -> None:
    """What begins as a shell script is a program, and nothing else in the folder is."""
    programs = {f"iris-docker/{path.name}" for path in (ROOT / "iris-docker").iterdir() if os.access(path, os.X_OK)}

    assert programs == set(scripts(FILES))


# --- the linters ----------------------------------------------------------------------------------------------------


def lint(tool: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a linter of this environment."""
    command = [Path(sys.executable).with_name(tool), *arguments]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)


# Linter, its options, file, what is changed in it, and into what: the linter finds it.
LINTED = [
    ("hadolint", (), "Dockerfile", "USER 51773\n\nENV", "RUN cd /tmp\n\nENV"),
    ("check-jsonschema", ("--builtin-schema", "vendor.compose-spec"), COMPOSE, "restart:", "restarts:"),
    *(
        ("check-jsonschema", ("--builtin-schema", "vendor.github-workflows"), name, "runs-on:", "run-on:")
        for name in WORKFLOWS
    ),
    *(("shellcheck", (), name, "set -euo pipefail", "set -euo pipefail\nrm -rf $1") for name in scripts(FILES)),
]


@pytest.mark.parametrize(("tool", "options", "name", "old", "new"), LINTED)
def test_linter(tool: str, options: tuple[str, ...], name: str, old: str, new: str, tmp_path: Path) -> None:
    """The linters find nothing in the files, and something where there is something."""
    broken = tmp_path / Path(name).name
    broken.write_text(FILES[name].replace(old, new), "utf-8")

    done = lint(tool, *options, ROOT / name)
    assert (done.returncode, done.stdout) == (0, "" if tool != "check-jsonschema" else "ok -- validation done\n")
    assert lint(tool, *options, broken).returncode == 1


@pytest.mark.parametrize(
    ("tool", "options", "name", "old", "new"),
    [
        ("hadolint", (), "Dockerfile", "USER 1000", "RUN cd /tmp"),
        ("check-jsonschema", ("--builtin-schema", "vendor.compose-spec"), "compose.yaml", "restart:", "restarts:"),
    ],
)
def test_linter_of_the_python_programs(
    tool: str, options: tuple[str, ...], name: str, old: str, new: str, tmp_path: Path
) -> None:
    """The files of the image without IRIS are clean, and would not be with a fault."""
    written = ROOT / "python-docker" / name
    (tmp_path / name).write_text(written.read_text("utf-8").replace(old, new), "utf-8")

    assert lint(tool, *options, written).returncode == 0
    assert lint(tool, *options, tmp_path / name).returncode == 1


def test_shell_of_the_workflow(tmp_path: Path) -> None:
    """The shell of the steps keeps the rules of shellcheck too."""
    runs = [step["run"] for step in steps(FILES) if "run" in step]
    for number, run in enumerate(runs):
        (tmp_path / f"{number}.sh").write_text(f"#!/usr/bin/env bash\n{run}\n", "utf-8")

    # 2016: what stands in single quotes is for another shell, or for a terminal of IRIS.
    done = lint("shellcheck", "--exclude=2016", *sorted(tmp_path.iterdir()))
    assert (len(runs) > 5, done.stdout) == (True, "")


# --- the scripts, with a double of IRIS ------------------------------------------------------------------------------

# A terminal as IRIS has it: after an error it takes the next line. `answers` says what it shows for a line or a call
# that holds a text, and with which code it ends there; null goes on.
IRIS = f"""#!{sys.executable}
import json, pathlib, re, sys

here = pathlib.Path(__file__).parent
answers = json.loads((here / "answers").read_text("utf-8"))


def answer(line):
    for part, (shown, code) in answers.items():
        if part in line:
            print(shown)
            if code is not None:
                sys.exit(code)


with (here / "calls").open("a", encoding="utf-8") as calls:
    print(*sys.argv[1:], file=calls)
answer(" ".join(sys.argv[1:]))
if sys.argv[1] == "session" and len(sys.argv) == 5:
    print("\\nNode: iris, Instance: IRIS\\n")
    for line in sys.stdin:
        with (here / "typed").open("a", encoding="utf-8") as typed:
            print(line, end="", file=typed)
        print("USER>", end="")
        if line.startswith("write "):
            print(*re.findall('"([^"]*)"', line), sep="")
        answer(line)
        if line.strip() == "halt":
            break
"""


class Server:
    """
    The scripts of the image in a folder of their own, beside a double of the command `iris`.

    Args:
        folder: Empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = folder / "started"
        self.secret = folder / "secrets" / "iris_password"
        for name in ("bin", "secrets", "module/iris-docker"):
            (folder / name).mkdir(parents=True)
        for name in ("LICENSE", "module.xml", "requirements.txt"):
            shutil.copy(ROOT / name, folder / "module")
        for name in ("preload", "src/cls", "tests/iris"):
            shutil.copytree(ROOT / name, folder / "module" / name)
        for name in (name for name in FILES if name.startswith("iris-docker/")):
            self.write(f"module/{name}", self.moved(FILES[name]))
        self.write("bin/iris", IRIS)
        self.write("iris-main", '#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n')
        self.answer({})

    def moved(self, text: str) -> str:
        """Put the places of the container into this folder."""
        for place, name in (("/opt/meetup2025", "module"), ("/run/secrets", "secrets"), ("/iris-main", "iris-main")):
            text = text.replace(place, str(self.folder / name))
        return text.replace("/tmp/meetup2025.started", str(self.started))  # noqa: S108 - the place in the container

    def write(self, name: str, text: str) -> None:
        """Put a program into the folder."""
        (self.folder / name).write_text(text, "utf-8")
        (self.folder / name).chmod(0o755)

    def answer(self, answers: Mapping[str, tuple[str, int | None]]) -> None:
        """Say what IRIS shows for what holds a text, and with which code it ends there."""
        (self.folder / "bin" / "answers").write_text(json.dumps(answers), "utf-8")

    def run(self, script: str, *arguments: str, lines: str = "", **values: str) -> subprocess.CompletedProcess[str]:
        """Run a script, with lines as its input, and values of the build in its environment."""
        environment = {"PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "MODEL": "sketch", **values}
        command = [str(self.folder / "module" / "iris-docker" / script), *arguments]
        return subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=False)

    def told(self, name: str) -> list[str]:
        """Give the lines that `iris` has been told: its `calls`, or what was `typed` into a terminal."""
        path = self.folder / "bin" / name
        return path.read_text("utf-8").splitlines() if path.exists() else []


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """The scripts of the image, beside a double of IRIS."""
    return Server(tmp_path)


BUILD = [
    "start IRIS",
    "merge IRIS iris-docker/merge.cpf",
    "stop IRIS quietly",
    "start IRIS",
    "session IRIS -U %SYS",
    "session IRIS -U USER",
    "stop IRIS quietly",
]
UNIT_TESTS = 'session IRIS -U USER ##class(%IPM.Main).Shell("test meetup2025 -v -only",1,1)'


def test_lines_that_run(server: Server) -> None:
    """Lines are typed in order into a terminal of the namespace; what they show is shown."""
    done = server.run("session", "USER", lines='set name = "saba"\nwrite "マサバ"\n')

    assert (done.returncode, done.stderr) == (0, "")
    assert "マサバ" in done.stdout
    assert server.told("calls") == ["session IRIS -U USER"]
    assert server.told("typed")[:2] == ['set name = "saba"', 'write "マサバ"']


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        ("<UNDEFINED> *fish", None),
        ("<CLASS DOES NOT EXIST> *MeetUp2025.Nope", None),
        ("<SYNTAX>", None),
        ("<PYTHON EXCEPTION> *<class 'ModuleNotFoundError'>: No module named 'meetup2025'", None),
        ("ERROR #5001: the package must be free", None),
        ("エラー #5001: the package must be free", None),
        ("エラー #5002: ObjectScript エラー: <PYTHON EXCEPTION> *<class 'meetup2025.errors.DataError'>: text", None),
        ("エラー #921: 特権が必要です", None),
        ("FEHLER #5475: Fehler beim Kompilieren", None),
        ("\x1b[31mERROR!\x1b[0m Module not found", None),
        ("[meetup2025]\tActivate FAILURE", 1),
        ("Access Denied", 255),
        ("the process ended in the middle", 0),
    ],
)
def test_line_that_fails(server: Server, shown: str, code: int | None) -> None:
    """A line that shows an error fails, though the terminal goes on and ends with 0; so does an end before the last."""
    server.answer({"do Load": (shown, code)})

    done = server.run("session", "USER", lines='do Load\nwrite "the next line"\n')

    assert done.returncode != 0
    assert shown in done.stdout
    assert ('write "the next line"' in server.told("typed")) == (code is None)


def test_error_beside_a_harmless_line(server: Server) -> None:
    """A line that is marked as harmless hides no other."""
    server.answer({"do Load": ("[harmless] <PYTHON EXCEPTION>\nエラー #5002: text", None)})

    done = server.run("session", "USER", lines="do Load\n")

    assert done.returncode == 1
    assert "エラー #5002" in done.stderr
    assert "harmless" not in done.stderr


def test_marked_lines_are_written() -> None:
    """The marker of harmless lines is that of the classes, on a line of its own."""
    setup = (ROOT / "src" / "cls" / "MeetUp2025" / "Setup.cls").read_text("utf-8")

    assert re.findall(r'write !, "(\[\w+\]) ', setup) == ["[harmless]"]
    assert r"\[harmless\]" in FILES["iris-docker/session"]


def test_no_server(server: Server) -> None:
    """Without IRIS nothing succeeds."""
    server.write("bin/iris", "#!/usr/bin/env bash\nexit 1\n")

    assert server.run("session", "USER", lines="write 1\n").returncode != 0


@pytest.mark.parametrize(
    "shown",
    [
        "Successfully installed numpy<3,>=1.26",
        "Documentation: <https://docs.example>, <a>, 1 < 2 > 0",
        "[meetup2025]\tActivate SUCCESS",
        "Detected 0 errors; no ERROR, no error #1.",
        "検出されたエラーはありません。エラー 0 件, #1 of 2",
        "[harmless] Maps are compiled later: <PYTHON EXCEPTION> 230 <class 'OSError'>: ERROR #5002: エラー",
    ],
)
def test_what_only_looks_like_an_error(server: Server, shown: str) -> None:
    """What pip, IPM and the compiler say of success is no error."""
    server.answer({"do Load": (shown, None)})

    assert server.run("session", "USER", lines="do Load\n").returncode == 0


@pytest.mark.parametrize(("tests", "calls"), [("0", BUILD), ("", BUILD), ("1", [*BUILD[:-1], UNIT_TESTS, BUILD[-1]])])
def test_build(server: Server, tests: str, calls: list[str]) -> None:
    """The build configures, loads, tests if it is told to, and stops the server."""
    done = server.run("build", TESTS=tests)

    assert (done.returncode, done.stderr) == (0, "")
    assert server.told("calls") == calls
    image = (server.folder / "module" / "image").read_text("utf-8").strip()
    assert server.told("typed")[-5:] == [
        f'if $get(^MeetUp2025.Image) \'= "{image}" zpm "load {server.folder}/module -verbose -DModel=sketch":1',
        f'set ^MeetUp2025.Image = "{image}"',
        "",
        'write !, "Every line"_" ran.", !',
        "halt",
    ]


@pytest.mark.parametrize(
    ("part", "shown", "code", "last"),
    [
        ("start IRIS", "Invalid Community Edition license", 1, "start IRIS"),
        ("merge IRIS", "Line 4", 1, "merge IRIS iris-docker/merge.cpf"),
        ("Security.Services", "<CLASS DOES NOT EXIST> *Security.Services", None, "session IRIS -U %SYS"),
        ("if locale", "The locale must be jpuw. Got enuw", 1, "session IRIS -U %SYS"),
        ("zpm.xml", "ERROR #5012: File does not exist", None, "session IRIS -U %SYS"),
        ("zpm ", "<SYNTAX>", None, "session IRIS -U USER"),
        ("load ", "ERROR! pip failed", 1, "session IRIS -U USER"),
        ("Shell(", "FAILED", 1, UNIT_TESTS),
    ],
)
def test_build_that_fails(server: Server, part: str, shown: str, code: int | None, last: str) -> None:
    """The first step that fails ends the build, and fails it."""
    server.answer({part: (shown, code)})

    done = server.run("build", TESTS="1")

    assert done.returncode != 0
    assert shown in done.stdout
    assert server.told("calls")[-1] == last


def test_build_with_a_model(server: Server) -> None:
    """The model of the image becomes that of the server, before the catalogue is loaded."""
    assert server.run("build", MODEL="org/big").returncode == 0
    assert f'zpm "load {server.folder}/module -verbose -DModel=org/big":1' in "\n".join(server.told("typed"))


PROGRAM = f"""#!/usr/bin/env bash
[ "$(basename "$0")" = pip ] || exec {sys.executable} -c 'from meetup2025.cli import main; main()' "$@"
echo "$*" >> "$0.calls"
"""


@pytest.fixture
def builder(server: Server) -> Server:
    """The builder of the model: with this package, and a pip that only notes what it is asked for."""
    for name in ("pip", "meetup2025"):
        server.write(f"bin/{name}", PROGRAM)
    return server


def build_model(builder: Server, model: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Build the model of an image."""
    folders = {"MEETUP2025_MODELS": str(builder.folder / "models"), "PYTHONPATH": os.pathsep.join(sys.path)}
    return builder.run("model", MODEL=model, **{"REVISION": "main", "HF_HUB_OFFLINE": "1", **folders, **values})


@pytest.mark.clip
def test_model_of_the_image(builder: Server) -> None:
    """The builder downloads the model, verifies it, and leaves its folder and nothing beside."""
    with hub.serving({"org/tiny": published.clip(builder.folder / "tiny")}) as address:
        cache = str(builder.folder / "hf")
        done = build_model(builder, "org/tiny", HF_HUB_OFFLINE="0", HF_ENDPOINT=address, HF_HOME=cache)

    assert done.returncode == 0, done.stderr
    assert "lowest cosine to the original 1.000000" in done.stdout
    assert "image_01" in done.stdout
    assert [path.name for path in (builder.folder / "models").iterdir()] == [f"org--tiny@{hub.COMMIT[:12]}"]
    assert (builder.folder / "bin" / "pip.calls").read_text("utf-8") == "install --quiet .[clip]\n"


def test_image_without_a_download(builder: Server) -> None:
    """With the bundled model nothing is installed, and the folder of the models is there, empty."""
    done = build_model(builder, "sketch")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list((builder.folder / "models").iterdir()) == []
    assert not (builder.folder / "bin" / "pip.calls").exists()


def test_model_with_a_short_name_needs_no_torch(builder: Server) -> None:
    """The model that an image has by default comes by the extra [hub], at the revision of its recipe."""
    done = build_model(builder, "clip-multilingual", REVISION="", HF_HOME=str(builder.folder / "hf"))

    assert (builder.folder / "bin" / "pip.calls").read_text("utf-8") == "install --quiet .[hub]\n"
    assert done.returncode == 3  # there is no network
    assert "--revision" not in done.stderr


def test_image_of_a_model_that_fails(builder: Server) -> None:
    """A model that cannot be installed fails the build."""
    done = build_model(builder, "org/absent")

    assert done.returncode == 3
    assert done.stderr.startswith("meetup2025: ")


def test_models_that_are_tried() -> None:
    """The workflow runs every claim of the page, each once."""
    text = (ROOT / "docs" / "verify-models.md").read_text("utf-8")
    claims = [int(each) for row in jobs(FILES)["models"]["strategy"]["matrix"]["claims"] for each in row.split()]

    assert claims == [int(number) for number in re.findall(r"(?m)^### (\d+)\.", text)]


def test_image_is_what_is_loaded(server: Server) -> None:
    """An image of the same files is the same; one of another class is another."""
    names = []
    for text in ("", "", "/// Changed.\n"):
        path = server.folder / "module" / "src" / "cls" / "MeetUp2025" / "Fish.cls"
        path.write_text(text + path.read_text("utf-8"), "utf-8")
        server.run("build")
        names.append((server.folder / "module" / "image").read_text("utf-8"))

    assert names[0] == names[1] != names[2]


# --- the start ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", [None, "", "SYS", "1234567", "1234567\n\n"])
def test_start_without_a_password(server: Server, password: str | None) -> None:
    """Without a password, with that which everybody knows or a short one, the server does not start."""
    if password is not None:
        server.secret.write_text(password, "utf-8")

    done = server.run("start")

    assert (done.returncode, done.stdout) == (64, "")
    assert "must hold a password of 8 characters or more" in done.stderr
    assert not password or password.strip() not in done.stderr


@pytest.mark.parametrize("password", ["12345678", "まるで鯛のような", "a b c d e f"])
def test_start_with_a_password(server: Server, password: str) -> None:
    """With a password iris-main starts, with the options that are given; it is told where the password is."""
    server.secret.write_text(password, "utf-8")
    server.started.touch()

    done = server.run("start", "--check-caps", "false")

    after = server.folder / "module" / "iris-docker" / "started"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("--password-file", str(server.secret), "--after", str(after)),
        *("--check-caps", "false"),
    ]
    assert not server.started.exists()


@pytest.fixture
def built(server: Server) -> Server:
    """The scripts of an image that has been built."""
    server.run("build")
    for name in ("calls", "typed"):
        (server.folder / "bin" / name).unlink()
    return server


def test_started(built: Server) -> None:
    """After a start the account of the drivers may log in, and the module is that of the image, without pip."""
    done = built.run("started")

    assert (done.returncode, done.stderr) == (0, "")
    assert built.told("calls") == ["session IRIS -U %SYS", "session IRIS -U USER"]
    assert f'zpm "load {built.folder}/module -bypass-py-deps":1' in "\n".join(built.told("typed"))
    assert built.started.exists()


START = "write ##class(MeetUp2025.Worker).Start()"


@pytest.mark.parametrize(("worker", "starts"), [("", False), ("0", False), ("1", True)])
def test_started_with_a_worker(built: Server, worker: str, *, starts: bool) -> None:
    """Where the setting is on, the worker is started with the server."""
    done = built.run("started", MEETUP2025_WORKER=worker)

    assert (done.returncode, done.stderr) == (0, "")
    assert (START in built.told("typed")) == starts


def test_worker_that_does_not_start(built: Server) -> None:
    """A worker that fails is told, and does not keep the server from its users."""
    built.answer({START: ("<PYTHON EXCEPTION> *<class 'EncoderUnavailableError'>: The worker must run", None)})

    done = built.run("started", MEETUP2025_WORKER="1")

    assert done.returncode == 0
    assert "no worker" in done.stderr
    assert built.started.exists()


@pytest.mark.parametrize("part", ["Security.Users", "zpm ", "set ^MeetUp2025.Image"])
def test_started_halfway(built: Server, part: str) -> None:
    """Where a step after the start fails, so does the script, and the server is not healthy."""
    built.answer({part: ("ERROR #921: Operation requires a privilege", None)})

    assert built.run("started").returncode != 0
    assert built.run("healthy").returncode != 0


@pytest.mark.parametrize(
    ("before", "shown", "healthy"),
    [
        ("started", '[{"id": "sketch", "used": true}]', True),
        ("build", '[{"id": "sketch", "used": true}]', False),
        ("started", "[]", False),
        ("started", "<PYTHON EXCEPTION> *<class 'ImportError'>: sketch", False),
        ("started", '"sketch" <LICENSE LIMIT EXCEEDED>', False),
        ("started", '"sketch" エラー #5002: ObjectScript エラー:', False),
    ],
)
def test_healthy(built: Server, before: str, shown: str, *, healthy: bool) -> None:
    """A server that has started whole, and whose module answers, is healthy."""
    built.run(before)
    built.answer({"InstalledModels": (shown, None)})

    assert (built.run("healthy").returncode == 0) == healthy


DOCKER = """#!/usr/bin/env bash
echo "$*" >> "${0%/*}/calls"
cat > /dev/null
[[ "$*" != *irispython* ]] || exit CODE
"""


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="what is sent is what git knows")
@pytest.mark.parametrize("code", [0, 1])
def test_tests_inside_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """The suite runs by irispython in the container, with the options that are given, and says how it ended."""
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.replace("CODE", str(code)), "utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MEETUP2025_IRIS_PASSWORD", "tai_to_hirame")

    done = subprocess.run([ROOT / INSIDE, "-k", "errors"], capture_output=True, check=False)

    calls = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert done.returncode == code
    assert {call.startswith(f"compose -f {COMPOSE} exec -T ") for call in calls if call[0] != " "} == {True}
    assert calls[-1].endswith("iris /usr/irissys/bin/irispython /tmp/inside.py -k errors")
    assert "--env IRISPASSWORD " in calls[-1]  # by name: the list of processes shows no password
