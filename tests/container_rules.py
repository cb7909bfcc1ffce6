"""
The rules of the image, its server and the workflow: a small function for each, with the facts about IRIS.

A rule returns one text for each fault, so that a test shows all of them at once. It gets the files by their names, so
that a test can break one of them.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

import meetup2025

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Files = Mapping[str, str]
    Rule = Callable[[Files], Iterable[str]]

ROOT = Path(__file__).parents[1]
WORKFLOW = ".github/workflows/tests.yml"
WORKFLOWS = (WORKFLOW, ".github/workflows/models.yml", ".github/workflows/pins.yml")
COMPOSE = "iris-docker/compose.yaml"
HOME = "/opt/meetup2025/"
OWNER = "51773"

DOCUMENTED = {
    # Running InterSystems Products in Containers, "Running an InterSystems IRIS Container with Durable %SYS"
    "ISC_DATA_DIRECTORY",
    # Using Embedded Python, "Start the Python Shell from the Command Line"
    "IRISNAMESPACE",
    "IRISPASSWORD",
    "IRISUSERNAME",
    # variables of the system, of Python, pip, Docker Compose and GitHub
    "COMPOSE_FILE",
    "GITHUB_ENV",
    "LANG",
    "PIP_EXTRA_INDEX_URL",
    "PIP_NO_CACHE_DIR",
    "PYTHONPATH",
    "PYTHONUTF8",
}
"""Environment variables that are documented elsewhere. The variables of this project stand in its code."""


def read_files() -> dict[str, str]:
    """Return the files that make the image and the server, and the workflows, by their names."""
    names = ("Dockerfile", ".dockerignore", *WORKFLOWS)
    paths = [*(ROOT / name for name in names), *sorted((ROOT / "iris-docker").iterdir())]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths if path.is_file()}


def scripts(files: Files) -> list[str]:
    """Return the names of the shell scripts."""
    return [name for name, text in files.items() if text.startswith("#!")]


def read_yaml(text: str) -> Any:
    """Return the content of a YAML file."""
    return YAML(typ="safe").load(text)


def instructions(files: Files, *names: str) -> Iterator[list[str]]:
    """Return the words of the instructions of these names in the Dockerfile."""
    for line in re.sub(r"\\\n\s*", "", files["Dockerfile"]).splitlines():
        if line.partition(" ")[0] in names:
            yield line.split()[1:]


def last_stage(files: Files) -> Files:
    """Return the files with only the stage of the Dockerfile that becomes the image."""
    return {**files, "Dockerfile": "FROM" + files["Dockerfile"].rpartition("\nFROM")[2]}


def jobs(files: Files) -> dict[str, Any]:
    """Return the jobs of the workflows."""
    return {name: job for each in WORKFLOWS for name, job in read_yaml(files[each])["jobs"].items()}


def steps(files: Files) -> Iterator[dict[str, Any]]:
    """Return the steps of the workflows."""
    return (step for job in jobs(files).values() for step in job["steps"])


def service(files: Files) -> dict[str, Any]:
    """Return the one service of the compose file."""
    [only] = read_yaml(files[COMPOSE])["services"].values()
    return only


def terminal_lines(files: Files) -> Iterator[tuple[str, list[str]]]:
    """Return the lines that are typed into a terminal of IRIS, by their files."""
    for name, text in files.items():
        typed = [text] if name.endswith(".script") else re.findall(r"<< '?LINES'?\n([\s\S]*?)\nLINES\n", text)
        yield from ((name, each.splitlines()) for each in typed)


# --- the merge file -------------------------------------------------------------------------------------------------


def read_actions() -> dict[str, set[str]]:
    """Return the properties of each action, as recorded in `expected/cpf.txt`."""
    lines = (Path(__file__).parent / "expected" / "cpf.txt").read_text("utf-8").splitlines()
    rows = (re.match(r"(\w+)((?: +\w+)+?) +[A-Z]+ \"", line) for line in lines if line and not line.startswith("#"))
    return {row[1]: set(row[2].split()) for row in rows if row}


ACTIONS = read_actions()


def documented_merge(files: Files) -> Iterator[str]:
    """The merge file has only actions, which are documented and have a name and documented properties."""
    lines = [line for line in files["iris-docker/merge.cpf"].splitlines() if line and not line.startswith("#")]
    if lines[:1] != ["[Actions]"]:
        yield "merge.cpf must begin with [Actions]"
    for line in lines[1:]:
        action, _, given = line.partition(":")
        properties = dict(each.partition("=")[::2] for each in given.split(","))
        unknown = properties.keys() - ACTIONS.get(action, set())
        yield from (f"merge.cpf: {action} {name} is not documented" for name in unknown)
        if not all(properties.values()) or not properties.keys() & {"Name", "FileName", "Grantee"}:
            yield f"merge.cpf: {line} lacks a name or a value"


# --- the image ------------------------------------------------------------------------------------------------------


def copied(files: Files) -> list[str]:
    """Return the files that the Dockerfile copies from the repository."""
    lines = [words for words in instructions(files, "COPY") if not words[0].startswith("--from=")]
    return [word for words in lines for word in words[:-1] if not word.startswith("--")]


def copied_paths(files: Files) -> Iterator[str]:
    """A copied file exists and belongs to IRIS. The builder gets no other file."""
    yield from (f"Dockerfile copies {path}, which is not there" for path in copied(files) if not (ROOT / path).exists())
    lines = [line for line in files[".dockerignore"].splitlines() if not line.startswith("#")]
    sent = {line[1:] for line in lines if line[0] == "!"}
    whole = {path for path in copied(files) if str(PurePosixPath(path).parent) not in copied(files)}
    if lines[0] != "*" or sent != whole:
        yield ".dockerignore must send what the Dockerfile copies, and nothing else"
    yield from (
        f"Dockerfile copies {words[-2]} for another owner"
        for words in instructions(last_stage(files), "COPY")
        if f"--chown={OWNER}:{OWNER}" not in words
    )


def model_alone(files: Files) -> Iterator[str]:
    """
    From the stage with torch, the image takes only the folder of the models, to the place where they are looked for.
    """
    image = last_stage(files)
    made, read = (
        dict(word.split("=", 1) for words in reversed([*instructions(each, "ENV")]) for word in words)
        for each in (files, image)
    )
    taken = [words[-2:] for words in instructions(image, "COPY") if words[0] == "--from=model"]
    places = read["MEETUP2025_MODELS"].split(":")
    if [source for source, _ in taken] != [made["MEETUP2025_MODELS"]] or taken[0][1] not in places[1:]:
        yield f"the image takes {taken}, and reads {places}"
    if re.search(r"from=model,|pip install|torch", image["Dockerfile"]):
        yield "the image has more of the stage that has torch"


def one_owner(files: Files) -> Iterator[str]:
    """The image runs as IRIS does, and its folders belong to IRIS."""
    users = [words[0] for words in instructions(files, "USER")]
    if users[-1:] != [OWNER]:
        yield f"the image runs as {users}"
    found = re.findall(r"--(?:owner|group|chown)=([\d:]+)", files["Dockerfile"])
    yield from (f"there is the owner {each}" for each in found if set(each.split(":")) != {OWNER})


def named_paths(files: Files) -> Iterator[str]:
    """A file that is named below the folder of the module is copied there, or made by the build."""
    for name, text in files.items():
        inside = re.findall(rf"{HOME}([\w./-]+)", text) + re.findall(r"\$(?:module|scripts)/([\w./-]+)", text)
        inside += re.findall(r"(?<![\w/])(iris-docker/[\w.-]*\w)", text)
        for path in inside:
            places = [path, f"iris-docker/{path}"] if name.startswith("iris-docker/") else [path]
            made = f" > {path}\n" in files["iris-docker/build"]
            if not made and not any((ROOT / place).is_file() for place in places):
                yield f"{name} names {path}, which is not there"


def folders_of_this_machine(files: Files) -> Iterator[str]:
    """The files that the compose file takes from the repository exist."""
    here = ROOT / "iris-docker"
    sources = [service(files)["build"]["context"]]
    sources += [each["source"] for each in service(files)["volumes"] if isinstance(each, dict)]
    for source in (re.sub(r"\$\{\w+:-(.*)\}", r"\1", source) for source in sources):
        if not (here / source).is_dir():
            yield f"{COMPOSE} names {source}, which is not there"


def pinned(files: Files) -> Iterator[str]:
    """Images have the tag of a release, actions a commit, and downloads a version."""
    images = re.findall(r"^(?:ARG IRIS=|FROM )([\w./-]*[/:]\S*)", files["Dockerfile"], re.MULTILINE)
    images += [service(files)["image"]]
    images += [
        f"iris:{tag}"
        for job in jobs(files).values()
        for tag in job.get("strategy", {}).get("matrix", {}).get("iris", [])
    ]
    yield from (
        f"{image} has no tag of a release"
        for image in images
        if not re.search(r":\d+\.[\d.]+(?:-slim@sha256:[0-9a-f]{64})?$", image)
    )
    actions = [step["uses"] for step in steps(files) if "uses" in step]
    yield from (f"{action} has no commit" for action in actions if not re.search(r"@[0-9a-f]{40}$", action))
    addresses = [word for words in instructions(files, "ADD") for word in words if "://" in word]
    yield from (f"{each} has no version" for each in addresses if not re.search(r"/\d+\.\d+\.\d+/", each))
    yield from (f"{name} says latest" for name, text in files.items() if re.search(r"\blatest\b", text))


def one_version(files: Files) -> Iterator[str]:
    """The tag of the image is the version of the package."""
    if service(files)["image"] != f"meetup2025:{meetup2025.__version__}":
        yield f"the image is {service(files)['image']}, the package {meetup2025.__version__}"


# --- the server -----------------------------------------------------------------------------------------------------


def loopback_ports(files: Files) -> Iterator[str]:
    """A port is open only to this machine."""
    ports = service(files)["ports"]
    yield from (f"port {port} is open" for port in ports if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", str(port)))


def mounts(files: Files) -> list[str]:
    """Return the folders of the container on which volumes are mounted."""
    volumes = service(files)["volumes"]
    return [each["target"] if isinstance(each, dict) else each.rpartition(":")[2] for each in volumes]


def kept_data(files: Files) -> Iterator[str]:
    """Durable %SYS is a folder of a volume. A volume is mounted on a folder of the image, which sets its owner."""
    made = {word for words in instructions(files, "RUN") for word in words if "install" in words}
    yield from (f"the image has no folder {mount} for IRIS" for mount in mounts(files) if mount not in made)
    folder = PurePosixPath(service(files)["environment"].get("ISC_DATA_DIRECTORY", "/"))
    if str(folder.parent) not in mounts(files):
        yield f"{folder} is no folder of a volume"


def mounted_settings(files: Files) -> Iterator[str]:
    """The settings of the image name mounted folders. The photos of this machine must exist, and stay."""
    values = dict(word.split("=", 1) for words in instructions(last_stage(files), "ENV") for word in words)
    for name in ("MEETUP2025_MODELS", "MEETUP2025_PHOTOS"):
        if values[name].partition(":")[0] not in mounts(files):
            yield f"{name} is {values[name]}, which is not mounted"
    for each in (each for each in service(files)["volumes"] if isinstance(each, dict)):
        if not each.get("read_only") or each["bind"].get("create_host_path") is not False:
            yield f"{each['target']} can be written, or is made where it is not there"


# An empty value passes. So does a value from elsewhere, a path, a flag, or a comment.
PASSWORD = re.compile(r"""(?i)passw(?:or)?d\w*["']?\)?(?:=|: +| = )["']?(?![$"'\s#/\\…]|[01]$)[^\s"']+""", re.MULTILINE)
DEFAULT = re.compile(r"(?<![%\w./])SYS(?![\w.])|PasswordHash")


def no_passwords(files: Files) -> Iterator[str]:
    """No file holds a password, its hash, or the password that IRIS comes with."""
    for name, text in files.items():
        yield from (f"{name} has a password: {each}" for each in PASSWORD.findall(text) + DEFAULT.findall(text))


def known_variables(files: Files) -> Iterator[str]:
    """An environment variable is read by the project, documented, or set by the script itself."""
    paths = [*(ROOT / "src" / "python").rglob("*.py"), ROOT / "tests" / "conftest.py"]
    code = "".join(path.read_text("utf-8") for path in paths)
    known = DOCUMENTED | set(re.findall(r"\bMEETUP2025_[A-Z_]+", code + files["iris-docker/verify.sh"]))
    for name, text in files.items():
        own = set(re.findall(r"\$\{(\w+):-", text)) if text.startswith("#!") else set()
        found = set(re.findall(r"\b(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|IRIS[A-Z]+)\b", text))
        yield from (f"{name} names {each}, which nobody reads" for each in sorted(found - known - own))


# --- what is typed into a terminal ----------------------------------------------------------------------------------


def whole_lines(files: Files) -> Iterator[str]:
    """A line that is typed into a terminal is complete: its brackets and quotes are closed."""
    for name, lines in terminal_lines(files):
        for line in (line for line in lines if not line.startswith("//")):
            bare = re.sub(r'"[^"]*"', "", line)
            if '"' in bare or bare.count("(") != bare.count(")") or "{" in bare:
                yield f"{name}: {line} does not stand for itself"


def checked_statuses(files: Files) -> Iterator[str]:
    """The next line after a status checks it, and ends the process with an error."""
    for name, lines in terminal_lines(files):
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if line.startswith("set status =") and not re.match(r"if 'status .*Terminate\(\$job, 1\)$", following):
                yield f"{name}: {line} is not looked at"


# --- the workflows --------------------------------------------------------------------------------------------------


def least_rights(files: Files) -> Iterator[str]:
    """A workflow only reads the repository: no secret, no token that stays, no text of others in a shell."""
    for name in WORKFLOWS:
        workflow = read_yaml(files[name])
        if workflow.get("permissions") != {"contents": "read"}:
            yield f"{name} may do more than read"
        if "secrets." in files[name] or "pull_request_target" in workflow["on"]:
            yield f"{name} knows secrets"
    yield from (f"the job {name} has rights of its own" for name, job in jobs(files).items() if "permissions" in job)
    for step in steps(files):
        if "checkout@" in step.get("uses", "") and step.get("with", {}).get("persist-credentials") is not False:
            yield "a token stays in the checkout"
        if "${{" in step.get("run", ""):
            yield f"{step['run']} is made of an expression"


def bounded_jobs(files: Files) -> Iterator[str]:
    """A job ends by itself, and a newer run ends an older one."""
    yield from (f"the job {name} has no timeout" for name, job in jobs(files).items() if "timeout-minutes" not in job)
    for name in WORKFLOWS:
        if read_yaml(files[name]).get("concurrency", {}).get("cancel-in-progress") is not True:
            yield f"an older run of {name} goes on"


def tested_images(files: Files) -> Iterator[str]:
    """The base image of the Dockerfile is one of the tested images, and there is another one."""
    [default] = re.findall(r"^ARG IRIS=.*:(.*)$", files["Dockerfile"], re.MULTILINE)
    tags = jobs(files)["iris"]["strategy"]["matrix"]["iris"]
    if default not in tags or len(set(tags)) < 2:
        yield f"{default} is not tested, or nothing else is: {tags}"


RULES: tuple[Rule, ...] = (
    documented_merge,
    copied_paths,
    model_alone,
    one_owner,
    named_paths,
    folders_of_this_machine,
    pinned,
    one_version,
    loopback_ports,
    kept_data,
    mounted_settings,
    no_passwords,
    known_variables,
    whole_lines,
    checked_statuses,
    least_rights,
    bounded_jobs,
    tested_images,
)
