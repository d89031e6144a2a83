"""The command line: parse, call, print. Whatever is heavy is imported by the command that needs it."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, TypeVar

from cyclopts import App, CycloptsError, Parameter

from poems.errors import EngineError, InputError, Issue, PoemsError, UsageError

if TYPE_CHECKING:
    from poems.intake import Intake
    from poems.knowledge import Knowledge

HELP = """The computable guide to POEMS syndrome: what a record says by every published
set of criteria, how probable POEMS and its mimics are, which test would tell
the most, and what changed after treatment. Every number is cited. It informs
and never orders."""
KNOWLEDGE_HELP = """What the guide knows: concepts, criteria, counts, sources and corrections, each
with its citation."""
ASK_HELP = """Ask the guide a question about POEMS syndrome.

Answers with the passages of the guide that fit best, in their own words and with
their sources, and says so where the guide has no answer. Nothing is generated and
nothing leaves this machine.

Exit codes: 0 done (also where the answer is not in the guide), 2 wrong use,
4 knowledge invalid, 5 something failed."""
GUIDE_HELP = """The guide: its questions, one page, or all of it as a website that needs no network."""
SLOW_SECONDS = 2.0
AHEAD = timedelta(366)
"""So far ahead a record may be judged, to see what will be due."""
FOLLOW_HELP = """Follow one or several patients after treatment.

Reads the same records as assess, with treatments, scales and later values.
Shows what changed and how sure that is, response and relapse by the published
definitions, what the literature does then, and when to look again.

Rows that cannot be used are listed on stderr, the rest is followed and marked,
and the exit code is 3. Other exit codes: 0 done, 2 wrong use, 4 knowledge
invalid, 5 something failed."""
REPORT_HELP = """Put one record on paper: one page for the patient, two for the physician.

Findings with dates, what the criteria say and what is missing, the course as
a picture, what is published, what to ask next; every number cited. As a PDF,
or as one HTML file.

Exit codes: 0 done, 2 wrong use, 3 rows were refused and the rest is on paper,
4 knowledge invalid, 5 something failed."""
SERVE_HELP = """Open the app: your patients or your own record, in the browser, on this machine.

Records lie in one file. Nothing is fetched from the network and nothing is
sent to it. Whoever can reach the address sees the records: on this machine
alone that is you; any other --host demands passwords and TLS.

Exit codes: 0 done, 2 wrong use, 3 the database cannot be used, 5 something
failed."""
T = TypeVar("T")


NOTHING = Issue("fault", "the input", "nothing that can be reviewed", "at least one finding of one patient",
                "The lines above, if any, say what was left out.")


def _version() -> str:
    from poems import __version__
    from poems.knowledge.files import BUNDLED, read_yaml

    return f"poems {__version__}, knowledge {read_yaml(BUNDLED / 'criteria/diagnosis.yaml')['version']}"


def examples(*commands: str) -> str:
    """What stands at the end of a help text."""
    return "\n".join(("Example:" if len(commands) == 1 else "Examples:", *(f"  {command}" for command in commands)))


PLAIN = Parameter(show_default=False, negative="")
app = App(name="poems", help=HELP, help_format="plaintext", version=_version, version_format="plaintext",
          default_parameter=PLAIN, help_epilogue=examples(
              "poems assess record.csv", "poems assess record.csv --edition patient", "poems follow record.csv",
              "poems knowledge show mayo-2007"))
app.command("poems.cli_knowledge:knowledge_app", name="knowledge", help=KNOWLEDGE_HELP)
app.command("poems.cli_guide:ask", name="ask", help=ASK_HELP, usage="Usage: poems ask QUESTION [OPTIONS]",
            help_epilogue=examples('poems ask "how is it treated?"', "poems ask what does a normal VEGF mean",
                                   'poems ask "serum VEGF cut-off" --edition clinician --format json'))
app.command("poems.cli_guide:guide_app", name="guide", help=GUIDE_HELP)

Records = Annotated[str, Parameter(allow_leading_hyphen=True, help=(
    "Files to read, or - for standard input. One patient's rows may stand in several files."))]
Day = Annotated[str, Parameter(help=(
    "The day on which the record is judged, as YYYY-MM-DD; later findings are not yet known. Today if not "
    "given."))]
Setting = Annotated[str, Parameter(help=(
    "Where the patient was met, which decides how common each disease is: see `poems knowledge list "
    "settings`. If not given, a default that takes nothing for granted that the record does not hold."))]
Sets = Annotated[tuple[str, ...], Parameter(help=(
    "A set of criteria, told in full; may be given several times. All sets if not given: `poems knowledge "
    "list criteria`."))]
Edition = Annotated[Literal["clinician", "patient"], Parameter(help=(
    "clinician: criteria, probabilities, tests. patient: the own record, what is looked at, questions to ask."))]
Format = Annotated[Literal["text", "json", "html"], Parameter(help=(
    "text for the terminal, json for programs (docs/assess.schema.json), html for one file to keep or print."))]
Output = Annotated[Path | None, Parameter(name=["--output", "-o"], help=(
    "The file to write instead of standard output."))]
Units = Annotated[tuple[str, ...], Parameter(help=(
    "The unit of a concept where the file leaves it out, as concept=unit: --unit vegf-plasma=pg/mL."))]
InputFormat = Annotated[Literal["csv", "parquet", "fhir", "phenopacket"] | None, Parameter(help=(
    "What the input is, where neither its name nor its content tells."))]


@app.command(usage="Usage: poems assess RECORD... [OPTIONS]", help_epilogue=examples(
    "poems assess record.csv",
    "poems assess bundle.json --as-of 2020-08-01 --setting demyelinating-neuropathy",
    "poems assess record.csv --format html -o review.html",
    "poems assess labs.csv notes.csv --edition patient",
    "cat record.csv | poems assess - --format json"))
def assess(
    *record: Records,
    as_of: Day = "",
    setting: Setting = "",
    criteria: Sets = (),
    edition: Edition = "clinician",
    format: Format = "text",
    output: Output = None,
    unit: Units = (),
    input_format: InputFormat = None,
) -> int:
    """Review the records of one or several patients.

    Reads an events table (CSV, Parquet), a FHIR R4 Bundle or a phenopacket. Shows
    the verdict of every set of criteria with its reasons, what is missing, the
    differential with intervals, the next tests, cautions and sources.

    Rows that cannot be read are listed on stderr, the rest is reviewed and marked,
    and the exit code is 3. Other exit codes: 0 done, 2 wrong use, 4 knowledge
    invalid, 5 something failed.
    """
    from poems.intake import gather, units

    check_names(record)
    keep_apart(record, {"--output": output})
    day, known = read_day(as_of), knowledge()
    wanted = near("setting", setting, known.settings) if setting else ""
    for name in criteria:
        near("criteria set", name, known.criteria)
    intake = gather(record, known, as_of=day, input_format=input_format or "", units=units(unit, known))
    faults = [issue for issue in intake.issues if issue.level == "fault"]
    complain(faults or ([] if intake.patients else [*intake.issues, NOTHING]))
    if not intake.patients:
        return InputError.exit_code
    from poems.render import render
    from poems.review import assess as review_of

    reviews = [review_of(patient.record, known, setting=wanted, criteria=criteria, issues=patient.issues)
               for patient in with_progress(intake.patients, "reviewed")]
    write(render(reviews, known, form=format, edition=edition, width=columns(output), colour=colour(output),
                  explain=criteria), output)
    return InputError.exit_code if any(issue.level == "fault" for issue in intake.issues) else 0


app.command("poems.cli_follow:follow", name="follow", help=FOLLOW_HELP, usage="Usage: poems follow RECORD... [OPTIONS]",
            help_epilogue=examples(
                "poems follow record.csv",
                "poems follow record.csv --as-of 2022-03-20 --format html -o course.html",
                "poems follow record.csv --ics visits.ics --edition patient",
                "poems follow record.csv --sheet transplant --format html -o sheet.html",
                "poems follow all.csv --cohort -o cohort/"))
app.command("poems.cli_report:report", name="report", help=REPORT_HELP, usage="Usage: poems report RECORD... [OPTIONS]",
            help_epilogue=examples(
                "poems report record.csv -o report.pdf",
                "poems report record.csv --edition patient --paper letter -o my-sheet.pdf",
                "poems report record.csv --sheet transplant -o hand-over.pdf",
                "poems report record.csv --format html -o report.html"))
app.command("poems.cli_serve:serve", name="serve", help=SERVE_HELP, usage="Usage: poems serve [OPTIONS]",
            help_epilogue=examples(
                "poems serve --open", "poems serve --example --background", "poems serve --stop",
                "poems serve --add-user ann --role admin --password-file accounts",
                "poems serve --host 0.0.0.0 --name poems.example.org --password-file accounts --tls-cert c.pem "
                "--tls-key k.pem"))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code; no failure shows a traceback or a patient's value."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        return int(app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value") or 0)
    except CycloptsError as error:
        return _fail(UsageError(_plain(error)))
    except PoemsError as error:
        return _fail(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # the last resort: whatever happens, a plain line without a patient's value
        if os.environ.get("POEMS_DEBUG"):
            raise
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # the help, which its library prints
            return _fail(UsageError(f"standard output: {error.strerror}; expected a place with room"))
        say(f"poems: this should not have happened ({type(error).__name__} in {_place(error)}). "
             "Set POEMS_DEBUG=1 to see where, and report it.")
        return EngineError.exit_code


def _fail(error: PoemsError) -> int:
    if error.issues:
        complain(error.issues)
    else:
        hint = " See `poems --help`." if isinstance(error, UsageError) and "--help" not in str(error) else ""
        text = _clean(str(error))
        say(f"poems: {text}{'' if text.endswith(('.', '?')) else '.'}{hint}")
    return error.exit_code


def _plain(error: CycloptsError) -> str:
    return " ".join(str(error).split())


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).stem}, line {trace.tb_lineno}" if trace else "an unknown place"


def complain(issues: Iterable[Issue]) -> None:
    """Each issue as one line on stderr."""
    for issue in issues:
        say(f"{issue.level}: {_clean(str(issue))}")


def say(text: str, end: str = "\n") -> None:
    """One line on stderr; whoever closed it does not want to hear it."""
    if sys.stderr is None:
        return
    with suppress(OSError):
        sys.stderr.write(text + end)
        sys.stderr.flush()


def _clean(text: str) -> str:
    from poems.render.words import clean

    return clean(text)


def knowledge() -> Knowledge:
    """The bundled knowledge, read when a command first needs it."""
    from poems.knowledge import load

    return load()


def check_names(records: Sequence[str], command: str = "assess") -> None:
    """Refuse a call without a record, and an option that was taken for one. Raises: UsageError."""
    if not records:
        raise UsageError("no RECORD was given; expected a file, or - for standard input")
    for name in records:
        if name.startswith("-") and name != "-":
            raise UsageError(f"option {name} is unknown; see `poems {command} --help`")


def read_day(text: str) -> date:
    """The day written as YYYY-MM-DD, or today. Raises: UsageError, also for a day too far ahead to be judged."""
    if not text:
        return date.today()
    try:
        day = date.fromisoformat(text if len(text) == len("2020-08-01") else "")
    except ValueError:
        raise UsageError(f"--as-of: {text!r} is not a day; expected YYYY-MM-DD, such as 2020-08-01") from None
    if day > date.today() + AHEAD:
        raise UsageError(f"--as-of {day} lies more than a year ahead; expected today or a day before")
    return day


def check_day(intake: Intake, day: date) -> None:
    """Refuse a day before everything that is dated, where there is something dated after it. Raises: UsageError."""
    known = any(event.date for patient in intake.patients for event in patient.record.events)
    later = any(issue.where == f"as of {day}" for patient in intake.patients for issue in patient.issues)
    if later and not known:
        raise UsageError(f"--as-of {day}: no finding of the input has a day up to then; give a later day")


def keep_apart(record: Sequence[str], outputs: Mapping[str, Path | None]) -> None:
    """Refuse to write over a record, or one output over another. outputs: by option. Raises: UsageError."""
    taken = {one: "a RECORD" for name in record for one in _files(0 if name == "-" else name)}
    for option, path in outputs.items():
        for one in _files(path) if path is not None else ():
            if one in taken:
                raise UsageError(f"{option} {path} is {taken[one]} too; expected another file, so that nothing is lost")
        taken |= dict.fromkeys(_files(path) if path is not None else (), f"the {option}")


def _files(name: Path | str | int) -> list[object]:
    """What tells a file from others: where it really lies, and which file of the disk it is (it may have two names)."""
    found: list[object] = [] if isinstance(name, int) else [os.path.realpath(name)]
    with suppress(OSError):
        looked = os.fstat(name) if isinstance(name, int) else Path(name).stat()
        if stat.S_ISREG(looked.st_mode):
            found.append((looked.st_dev, looked.st_ino))
    return found


def near(what: str, name: str, allowed: Iterable[str]) -> str:
    """The name, if it is allowed. Raises: UsageError with the nearest and all (where they are few) allowed names."""
    from difflib import get_close_matches

    names = sorted(allowed)
    if name in names:
        return name
    close = get_close_matches(name.casefold(), names, n=3, cutoff=0.5)
    hint = f". Did you mean {' or '.join(close)}?" if close else ""
    expected = f"; expected one of {', '.join(names)}" if len(names) <= 20 else ""
    raise UsageError(f"{what} {name!r} is unknown{expected}{hint}")


def columns(output: Path | None) -> int:
    """100 columns at the most, and what the terminal has where that is less (but never less than 60)."""
    from shutil import get_terminal_size

    return 100 if output else max(60, min(100, get_terminal_size((100, 24)).columns))


def colour(output: Path | None) -> bool:
    """Whether what is printed may have colour."""
    return output is None and is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_terminal() -> bool:
    """Whether somebody reads what is printed; there may be no standard output at all."""
    return sys.stdout is not None and sys.stdout.isatty()


def write(said: str | bytes, output: Path | None = None, option: str = "--output") -> None:
    """What is said to the file, or to standard output. option: where the file was named. Raises: UsageError."""
    data = said if isinstance(said, bytes) else said.encode("utf-8", "replace")
    try:
        if output is not None:
            output.write_bytes(data)
        elif sys.stdout is None:
            raise UsageError("standard output is closed; expected somewhere to write to, or a file after --output")
        elif isinstance(said, bytes):
            sys.stdout.buffer.write(said)
            sys.stdout.buffer.flush()
        else:
            if hasattr(sys.stdout, "reconfigure"):
                sys.stdout.reconfigure(errors="replace")
            sys.stdout.write(said)
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "standard output" if output is None else f"{option} {output}"
        raise UsageError(f"{where}: {error.strerror}; expected a place that can be written to, with room") from None


def with_progress(items: Sequence[T], done: str) -> Iterable[T]:
    """The items one by one, counted on a terminal where they take long."""
    from time import monotonic

    start, shown = monotonic(), False
    for place, item in enumerate(items):
        if sys.stderr is not None and sys.stderr.isatty() and monotonic() - start > SLOW_SECONDS:
            shown = True
            say(f"\r{place} of {len(items)} {done}", end="")
        yield item
    if shown:
        say("\r\033[K", end="")


if __name__ == "__main__":
    main()
