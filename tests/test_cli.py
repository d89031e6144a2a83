"""The command line: every exit code, what stands where, and nothing on a terminal that does not belong there."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import HERE, read_case

from poems import cli
from poems.knowledge import Knowledge

ROOT = HERE.parent
EXAMPLE = ROOT / "poems/examples" / "published-case.csv"
CASES = yaml.safe_load((HERE / "cases" / "cli.yaml").read_text())
ANSI = re.compile(r"\x1b\[")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_each_command_says_what_it_promises(case: dict[str, Any], tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments in; exit code, words on stdout and words on stderr out; never a traceback or an escape sequence."""
    record = tmp_path / "record.csv"
    if "input" in case:
        record.write_text(case["input"])
    empty = tmp_path / "empty"
    empty.mkdir()
    places = {"example": str(EXAMPLE), "input": str(record), "tmp": str(empty)}
    code = cli.run([argument.format(**places) for argument in case["args"]])
    out, err = capsys.readouterr()
    assert code == case["exit"], err
    said = " ".join(out.split())
    assert all(" ".join(word.split()) in said for word in case.get("stdout", [])), out
    assert all(word in err for word in case.get("stderr", [])), err
    assert not any(word in err for word in case.get("not-stderr", [])), err
    assert "stdout" not in case or case["stdout"] or not out
    assert "stderr" not in case or case["stderr"] or not err
    assert "Traceback" not in out + err
    assert not ANSI.search(out + err)
    assert "keeps-input" not in case or record.read_text() == case["input"]


def test_the_example_is_the_published_case() -> None:
    """poems/examples/published-case.csv holds the events of case-03, row by row, and its README names the paper."""
    case = read_case(HERE / "cases" / "published" / "case-03.yaml")
    with EXAMPLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [{key: str(value) for key, value in row.items()} for row in case["events"]]
    found = [{key: value for key, value in row.items() if value and key != "patient"} for row in rows]
    assert found == [{key: value for key, value in row.items() if value} for row in expected]
    readme = " ".join((EXAMPLE.parent / "README.md").read_text().split())
    assert case["source"]["citation"].split(":")[0] in readme
    assert case["source"]["url"] in readme


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What a command printed, as JSON."""
    assert cli.run([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_one_patient_is_an_object_and_several_are_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that reads one record need not unpack a list; one that reads many gets them in order of appearance."""
    assert json_of(capsys, "assess", str(EXAMPLE))["patient"] == "published-case"
    other = tmp_path / "other.csv"
    other.write_text("patient,finding,status\np9,papilledema,present\np2,edema,absent\n")
    many = json_of(capsys, "assess", str(EXAMPLE), str(other))
    assert [review["patient"] for review in many] == ["published-case", "p9", "p2"]


def test_one_patient_in_two_files_is_one_record_and_the_review_says_so(tmp_path: Path,
                                                                      capsys: pytest.CaptureFixture[str]) -> None:
    """Laboratory and letters may come as two files; the same id is read as one patient, with a caution."""
    for name, finding in (("a.csv", "papilledema"), ("b.csv", "edema")):
        (tmp_path / name).write_text(f"patient,finding,status\np1,{finding},present\n")
    review = json_of(capsys, "assess", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    assert review["patient"] == "p1"
    assert any(issue["level"] == "caution" and "b.csv" in issue["where"] for issue in review["issues"])


def test_a_fault_of_one_file_does_not_mark_the_patients_of_another(tmp_path: Path,
                                                                   capsys: pytest.CaptureFixture[str]) -> None:
    """Issues stand at the patients of the file they are about."""
    bad = tmp_path / "bad.csv"
    bad.write_text("patient,finding,status,value,unit\np1,edema,present,,\np1,vegf-plasma,,many,pg/mL\n")
    assert cli.run(["assess", str(EXAMPLE), str(bad), "--format", "json"]) == 3
    first, second = json.loads(capsys.readouterr().out)
    assert not any(issue["level"] == "fault" for issue in first["issues"])
    assert any(issue["level"] == "fault" for issue in second["issues"])


def test_the_default_day_is_today(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --as-of a record is judged today."""
    before = date.today().isoformat()
    assert before <= json_of(capsys, "assess", str(EXAMPLE))["as_of"] <= date.today().isoformat()


def test_a_unit_left_out_may_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--unit gives the unit that a file leaves out; without it the row is refused."""
    record = tmp_path / "labs.csv"
    record.write_text("patient,finding,value,unit\np1,vegf-plasma,900,\n")
    assert cli.run(["assess", str(record)]) == 3
    capsys.readouterr()
    assert json_of(capsys, "assess", str(record), "--unit", "vegf-plasma=pg/mL")["patient"] == "p1"


def test_standard_input_is_a_record(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads standard input and tells the format by its content."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(EXAMPLE.read_bytes())))
    assert json_of(capsys, "assess", "-")["patient"] == "published-case"


def test_a_file_is_written_and_nothing_else_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-o writes the file, UTF-8, and leaves stdout and stderr empty."""
    page = tmp_path / "review.html"
    assert cli.run(["assess", str(EXAMPLE), "--format", "html", "-o", str(page)]) == 0
    assert capsys.readouterr() == ("", "")
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_what_nobody_expected_is_one_line_without_a_patients_value(monkeypatch: pytest.MonkeyPatch,
                                                                   capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected failure gives exit code 5, its kind and place, and nothing that came from the record."""
    def fail(*_: object, **__: object) -> None:
        raise KeyError("Jane Doe, 1960-01-01")

    monkeypatch.setattr("poems.intake.gather", fail)
    assert cli.run(["assess", str(EXAMPLE)]) == 5
    out, err = capsys.readouterr()
    assert not out
    assert "KeyError" in err
    assert "Jane" not in err
    assert len(err.splitlines()) == 1
    monkeypatch.setenv("POEMS_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.run(["assess", str(EXAMPLE)])


def poems(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "poems", *arguments], capture_output=True, text=True, cwd=ROOT,
                          check=False, **options)


def test_a_closed_pipe_is_no_failure() -> None:
    """`poems ... | head -1` ends in silence."""
    command = f"'{sys.executable}' -m poems knowledge errata | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("extra", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_is_for_terminals_that_want_it(extra: dict[str, str], coloured: bool) -> None:
    """On a terminal the review has colour, unless NO_COLOR is set or the terminal is dumb."""
    import pty

    master, slave = pty.openpty()
    environment = {**{key: value for key, value in os.environ.items() if key != "NO_COLOR"}, "TERM": "xterm",
                   "COLUMNS": "100", **extra}
    process = subprocess.Popen([sys.executable, "-m", "poems", "assess", str(EXAMPLE)], stdout=slave, cwd=ROOT,
                               env=environment)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait() == 0
    assert bool(ANSI.search(shown.decode())) is coloured


def test_the_help_loads_nothing_heavy() -> None:
    """`poems --help` reads no knowledge and imports neither numpy nor duckdb nor jinja2."""
    code = ("import sys; from poems.cli import run; run(['--help']);"
            "print([m for m in ('numpy', 'duckdb', 'jinja2', 'yaml', 'poems.adapters') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_text_review_loads_neither_duckdb_nor_jinja() -> None:
    """A review for the terminal of a CSV file pays for nothing it does not use."""
    code = (f"import sys; from poems.cli import run; run(['assess', {str(EXAMPLE)!r}]);"
            "print([m for m in ('duckdb', 'jinja2') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_id_can_be_shown(knowledge: Knowledge) -> None:
    """`poems knowledge show` has an answer for whatever `poems knowledge list` lists, in 100 columns."""
    from poems.render import catalogue, show

    for kind in catalogue.KINDS:
        assert catalogue.listing(knowledge, kind)
        for key in catalogue.of_kind(knowledge, kind):
            shown = show.entry(key, knowledge, 100)
            assert max(map(len, shown.splitlines())) <= 100, key
            assert key in shown


def test_an_accuracy_is_shown_with_what_a_result_means(knowledge: Knowledge) -> None:
    """Every accuracy with counts shows k of n, both ratios, PPV and NPV for every setting and the ladder, and warns."""
    from poems.render import show

    for key, accuracy in knowledge.accuracies.items():
        shown = " ".join(show.entry(key, knowledge, 100).split())
        assert "sensitivity" in shown
        assert "specificity" in shown
        if accuracy.sensitivity.n and accuracy.specificity.n:
            assert f"{accuracy.sensitivity.k:,.6g} of {accuracy.sensitivity.n:,.6g}" in shown
            assert "LR+" in shown
            assert "Specificity is not a predictive value" in shown
            assert "0.0003 %" in shown
            assert all(" ".join(setting.label.split()[:3]) in shown for setting in knowledge.settings.values())


def test_a_cohort_does_not_write_over_its_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    """A table of the cohort that has the name of the record: refused, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    heading, *rows = (ROOT / "poems/examples/published-course.csv").read_text().splitlines()
    text = "\n".join([heading, *(f"p{at}{row[row.index(','):]}" for at in range(6) for row in rows)])
    Path("people.csv").write_text(text)
    assert cli.run(["follow", "--cohort", "people.csv", "-o", "."]) == 2
    assert "is a RECORD" in capsys.readouterr().err
    assert Path("people.csv").read_text() == text
    assert sorted(path.name for path in Path().iterdir()) == ["people.csv"]


@pytest.mark.parametrize("arguments", [["assess", str(EXAMPLE)], ["ask", "what is it"], ["knowledge", "list"],
                                       ["report", str(EXAMPLE)]], ids=lambda arguments: arguments[0])
def test_standard_output_without_room_is_said(arguments: list[str]) -> None:
    """A full disk behind a pipe, and no standard output at all: a plain line and code 2."""
    command = [sys.executable, "-m", "poems.cli", *arguments]
    with Path("/dev/full").open("wb") as full:
        said = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (said.returncode, "No space left on device" in said.stderr) == (2, True), said.stderr
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    said = subprocess.run(closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (said.returncode, "standard output" in said.stderr) == (2, True), said.stderr


def test_standard_input_that_is_closed_is_said() -> None:
    said = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "poems.cli", "assess", "-"],
                          capture_output=True, text=True, check=False)
    assert (said.returncode, "is closed" in said.stderr) == (3, True), said.stderr


def test_a_parquet_record_may_come_through_a_pipe(tmp_path: Path) -> None:
    """What can be read only once is read once."""
    import duckdb

    record, pipe = tmp_path / "a.parquet", tmp_path / "pipe"
    duckdb.sql(f"COPY (FROM read_csv('{EXAMPLE}', all_varchar = true)) TO '{record}' (FORMAT parquet)")
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "poems.cli", "assess", str(pipe), "--as-of", "2020-08-01"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reading:
        pipe.write_bytes(record.read_bytes())
        said, _ = reading.communicate(timeout=60)
    assert (reading.returncode, "POEMS review" in said) == (0, True)


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    """And so does that of the package's own help."""
    monkeypatch.chdir(tmp_path)
    Path("record.csv").write_text(EXAMPLE.read_text())
    review, query = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for shown, word in ((review, "met"), (query, "select patient")):
        exec(shown, {})
        assert word in capsys.readouterr().out.casefold()
    package = (ROOT / "poems/__init__.py").read_text().split('"""')[1]
    exec("\n".join(line[4:] for line in package.splitlines() if line.startswith("    ")), {})


def test_a_record_with_two_names_is_one_file(tmp_path: Path) -> None:
    """A hard link, a symbolic one, and the file behind standard input are refused; a loop of links is said plainly."""
    text = "patient,finding,status\np,edema,present\n"
    record, hard, soft, loop = (tmp_path / name for name in ("r.csv", "hard.csv", "soft.csv", "loop.csv"))
    record.write_text(text)
    hard.hardlink_to(record)
    soft.symlink_to(record)
    loop.symlink_to(loop)
    for given, output in ((record, hard), (record, soft), (soft, record)):
        assert cli.run(["assess", str(given), "-o", str(output)]) == 2
    command = [sys.executable, "-m", "poems.cli", "assess", "-", "-o", str(record)]
    with record.open() as read:
        assert subprocess.run(command, stdin=read, capture_output=True, check=False).returncode == 2
    assert record.read_text() == text
    assert cli.run(["assess", str(loop)]) == 3
    assert cli.run(["assess", str(record), "-o", str(loop)]) == 2


@pytest.mark.parametrize("arguments", [["assess", str(EXAMPLE)], ["follow", str(EXAMPLE)], ["assess", "none.csv"]],
                         ids=["a review", "a course", "nothing"])
def test_without_standard_error_the_work_is_done(arguments: list[str]) -> None:
    """The same exit code, and what is said to standard output."""
    command = [sys.executable, "-m", "poems.cli", *arguments]
    plain = subprocess.run(command, capture_output=True, text=True, check=False)
    closed = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], capture_output=True, text=True, check=False)
    assert (closed.returncode, closed.stdout) == (plain.returncode, plain.stdout)


def test_the_help_without_room_is_said() -> None:
    with Path("/dev/full").open("wb") as full:
        said = subprocess.run([sys.executable, "-m", "poems.cli", "--help"], stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False)
    assert (said.returncode, "No space left" in said.stderr) == (2, True), said.stderr
