"""Clients that nobody here wrote, straight to a node over plain HTTP: they offer HTTP/2 with their first request."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.programs import PLACES, find
from tests.deploy.shop import FORM, login_form
from tests.faults.site import Site

pytestmark = pytest.mark.deploy

PATH = "/api/v1/user"
JAVA = """
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class Call {
    public static void main(String[] asked) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        for (int turn = 1; turn < asked.length; turn++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(asked[0]))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(asked[turn])).build();
            System.out.println(client.send(request, BodyHandlers.ofString()).body());
        }
    }
}
"""


def url_of(site: Site) -> str:
    return f"http://127.0.0.1:{site.nodes[0].port}{PATH}"


def logged_in(text: str) -> bool:
    return json.loads(text)["status"] == 200


@pytest.mark.parametrize("version", ["--http2", "--http1.1", "--http1.0"])
def test_curl_logs_in_whatever_version_it_offers(site: Site, version: str) -> None:
    headers = [part for name, value in FORM.items() for part in ("-H", f"{name}: {value}")]
    command = [find("curl"), "-sS", "--max-time", "60", version, *headers, "-d", login_form(2), url_of(site)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=90)
    assert logged_in(answer.stdout), answer


@pytest.mark.skipif(shutil.which("javac", path=PLACES) is None, reason="this machine has no JDK")
def test_the_http_client_of_java_logs_in_twice_over_one_connection(site: Site, tmp_path: Path) -> None:
    (tmp_path / "Call.java").write_text(JAVA)
    java = shutil.which("java", path=PLACES) or "java"
    command = [java, "-XX:TieredStopAtLevel=1", str(tmp_path / "Call.java"), url_of(site), login_form(2), login_form(3)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    assert [logged_in(line) for line in answer.stdout.splitlines()] == [True, True], answer
