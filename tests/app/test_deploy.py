"""What lies in deploy/ is true of this program: settings it knows, metrics it has, nobody is root, nothing floats."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from menshen.app.plugins import PACKAGES
from menshen.app.settings.reader import load_settings
from menshen.app.settings.settings import SECTIONS
from menshen.app.settings.shapes import Shapes
from menshen.app.telemetry import metrics as telemetry

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
EXAMPLE = {"SITE": "login.example.com", "METRICS_NETWORK": "172.30.0.0/24"}


def filled(text: str) -> str:
    """As compose fills in ${NAME}, ${NAME:-default} and ${NAME:?complaint}."""
    return re.sub(r"\$\{(\w+)(?::[-?][^}]*)?\}", lambda found: EXAMPLE[found[1]], text)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(filled((DEPLOY / "compose.yaml").read_text()))
    return found


def test_the_nodes_are_equal_and_have_no_privileges() -> None:
    services = compose()["services"]
    nodes = [service for name, service in services.items() if name.startswith("node-")]
    assert len(nodes) == 2
    for node in nodes:
        assert node["read_only"] is True
        assert node["cap_drop"] == ["ALL"]
        assert node["security_opt"] == ["no-new-privileges:true"]
        assert node["stop_grace_period"] == "20s"
        assert "ports" not in node
    alike = [{key: value for key, value in node.items() if key != "volumes"} for node in nodes]
    assert alike[0] == alike[1]
    assert "ports" not in services["database"]


def test_compose_sets_what_the_program_knows(tmp_path: Path) -> None:
    environment = compose()["services"]["node-a"]["environment"]
    for name in [name for name in environment if name.endswith("_FILE")]:
        assert environment[name].startswith("/run/secrets/")
        secret = tmp_path / name
        secret.write_text("postgresql://menshen:x@database/menshen" if "URL" in name else "[[keys]]")
        environment[name] = str(secret)
    settings = load_settings(None, environment, tmp_path)
    assert settings.storage.url.startswith("postgresql://")
    assert settings.server.hosts == ("login.example.com",)
    assert settings.server.trusted_proxies == 1
    assert settings.server.metrics_networks == ("172.30.0.0/24",)


def test_what_compose_names_is_there() -> None:
    whole = compose()
    for service in whole["services"].values():
        assert set(service.get("secrets", [])) <= set(whole["secrets"])
        assert set(service["networks"]) <= set(whole["networks"])
        assert set(service.get("depends_on", [])) <= set(whole["services"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in whole["volumes"]
        if "image" in service:
            assert not service["image"].endswith(":latest")
    assert set(EXAMPLE) == set(re.findall(r"^(\w+)=", (DEPLOY / "compose.env.example").read_text(), re.MULTILINE))


def test_the_image_is_not_root_and_installs_by_hash() -> None:
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    last = "\n".join(lines[max(n for n, line in enumerate(lines) if line.startswith("FROM")) :])
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "--require-hashes" in text
    assert "--only-binary :all:" in text
    assert all(":latest" not in line and ":" in line for line in lines if line.startswith("FROM"))
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert sent[0] == "*", "nothing that is not named reaches an image: no data, no keys, no history"
    copied = {
        name for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in source.split()
    }
    tracked = subprocess.run(["git", "ls-files", *copied], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in copied:
        assert re.search(rf"^{re.escape(name)}(/|$)", tracked, re.MULTILINE), f"{name} is no part of the source"
        assert f"!{name.partition('/')[0]}" in sent


def test_the_steps_of_the_image_are_shell(tmp_path: Path) -> None:
    joined = re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text())
    steps = re.findall(r"^RUN (.+)$", joined, re.MULTILINE)
    assert len(steps) == 3
    for step in steps:
        subprocess.run(["sh", "-n", "-c", step], check=True)
    for answer in re.findall(r"^HEALTHCHECK .* CMD (\[.+\])$", joined, re.MULTILINE):
        program, option, code = json.loads(answer)
        assert (program, option) == ("python", "-c")
        compile(code, "HEALTHCHECK", "exec")


def test_every_variable_is_a_setting() -> None:
    """A misspelt MENSHEN_… is refused at start; here it is refused before somebody deploys it."""
    files = [
        ROOT / "Dockerfile",
        *(path for path in DEPLOY.rglob("*") if path.is_file() and "secrets" not in path.parts),
    ]
    named = {name for path in files for name in re.findall(r"\bMENSHEN_\w+", path.read_text())}
    assert len(named) > 6
    shapes = Shapes(PACKAGES)
    for name in named - {"MENSHEN_DATA", "MENSHEN_CONFIG"}:
        section, _, key = name.removeprefix("MENSHEN_").lower().partition("__")
        assert shapes.find(SECTIONS[section], key.removesuffix("_file")), name


def test_nodes_share_keys_and_database_and_no_secret_has_a_default() -> None:
    whole = compose()
    for name in ("node-a", "node-b"):
        assert set(whole["services"][name]["secrets"]) == {"database_url", "keys"}
    for secret in whole["secrets"].values():
        assert list(secret) == ["file"]
        path = (DEPLOY / secret["file"]).relative_to(DEPLOY)
        ignored = subprocess.run(["git", "check-ignore", "-q", f"deploy/{path}"], cwd=ROOT, check=False)
        assert ignored.returncode == 0, f"deploy/{path} could be committed"
    text = (DEPLOY / "compose.yaml").read_text() + (DEPLOY / "compose.env.example").read_text()
    assert not re.search(r"(?i)(password|secret|url)\w*\s*[:=]\s*(?!/run/secrets/)[\"']?\w+://", text)
    assert "POSTGRES_PASSWORD:" not in text
    for service in whole["services"].values():
        test = service.get("healthcheck", {}).get("test", [])
        if test[:2] == ["CMD", "python"]:
            compile(test[3], "healthcheck", "exec")


@pytest.mark.parametrize("name", ["menshen.service", "menshen-backup.service", "menshen-backup.timer"])
def test_units_parse_and_run_as_nobody_special(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((DEPLOY / name).read_text())
    if name.endswith(".service"):
        service = unit["Service"]
        assert service["User"] == "menshen"
        assert service["NoNewPrivileges"] == "yes"
        assert service["ProtectSystem"] == "strict"
        assert "/opt/menshen/bin/menshen" in service["ExecStart"]


def test_every_metric_of_the_dashboard_and_the_alerts_is_measured() -> None:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text())["groups"][0]["rules"]
    expressions += [rule["expr"] for rule in rules]
    assert telemetry.LOGINS is not None
    known = {
        name for family in REGISTRY.collect() for name in (family.name, f"{family.name}_total", f"{family.name}_bucket")
    }
    named = {name for expression in expressions for name in re.findall(r"menshen_\w+", expression)}
    assert named
    assert named <= known
    measured = {family.name for family in REGISTRY.collect() if family.name.startswith("menshen_")}
    shown = {re.sub(r"_(total|bucket)$", "", name) for name in named}
    assert measured == shown, "what is measured is shown, and nothing else"
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_proxies_ask_for_the_check_and_hide_what_is_inside() -> None:
    # A Caddy that has no app behind it needs no second file.
    for names in (["Caddyfile", "app.Caddyfile"], ["nginx.conf"], ["traefik.yaml"]):
        text = "".join((DEPLOY / "proxies" / name).read_text() for name in names)
        assert "/auth/verify" in text
        assert "/metrics" in text
        assert "/readyz" in text
        assert {"X-Account-Id", "X-Account-Number", "X-Roles", "X-Auth-Level"} <= set(
            re.findall(r"X-[A-Z]\w+(?:-\w+)*", text)
        )
        assert text.count("{") == text.count("}")
    traefik = yaml.safe_load((DEPLOY / "proxies" / "traefik.yaml").read_text())["http"]
    assert traefik["routers"]
    # The others hand on all headers. Here a carrier that is not named is lost.
    carriers = {"Authorization", "Token", "Cookie"}
    assert set(traefik["middlewares"]["who"]["forwardAuth"]["authRequestHeaders"]) == carriers
