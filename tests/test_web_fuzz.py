"""Schemathesis against a real server: no request that its description allows, or forbids, breaks the interface."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from web_made import Served, fill, some_accounts

from poems.knowledge import Knowledge
from poems.store import Store

NOT_ASKED = "positive_data_acceptance"
"""A random text is no finding and no day, whatever its shape: most of what is drawn is rightly refused with 422."""


@pytest.mark.slow
@pytest.mark.parametrize("who", ["", "edith"])
def test_the_interface_stands_what_its_description_allows(tmp_path: Path, knowledge: Knowledge, who: str) -> None:
    """Codes, kinds and shapes of answers, refusals of other methods and data, use after removal; nothing torn."""
    left_out = [
        NOT_ASKED,
        *(["negative_data_rejection"] if who else []),
    ]  # it leaves the cookie out, and we put it back
    with (
        Store.open(tmp_path / "a.db") as store,
        Served(store, knowledge, accounts=some_accounts() if who else None) as served,
    ):
        fill(store)
        with served.logged_in(who) if who else served.browser() as visitor:
            token = visitor.token()
            said = subprocess.run(
                [
                    Path(sys.executable).parent / "schemathesis",
                    "run",
                    f"{served.url}/api/v1/openapi.json",
                    "--max-examples",
                    "60",
                    "--exclude-checks",
                    ",".join(left_out),
                    "--seed",
                    "4",
                    "--no-color",
                    "--generation-database",
                    "none",
                    *(["--exclude-path", "/api/v1/login"] if who else []),  # it would end the session
                    "-H",
                    f"x-csrf-token: {token}",
                    "-H",
                    f"Cookie: poems-session={visitor.cookies['poems-session']}",
                ],
                capture_output=True,
                text=True,
                timeout=500,
                check=False,
                cwd=tmp_path,
            )
        assert said.returncode == 0, said.stdout[-6000:] + said.stderr[-2000:]
        assert store.check() == ()
