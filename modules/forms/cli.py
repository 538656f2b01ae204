"""``sala-cli forms …``: the verbs of the forms module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from i18n.catalog import language, text
from modules.cli import Desk, call, read_json
from modules.contract import Refused

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OUT = click.Path(path_type=Path, dir_okay=False)


def commands() -> click.Group:
    """Every verb of forms: what the window does, one command each."""

    @click.group()
    def forms() -> None:
        """Services, drafts, submissions, receipts."""

    for verb in (
        services, definition, fill, drafts, check, finish, discard, list_, show, correct, withdraw, receipt, case, export,
        eval_, import_, compare, convert_workbook,
    ):  # fmt: skip
        forms.add_command(verb)
    return forms


@click.command()
@click.argument("query", default="")
@click.pass_context
def services(ctx: click.Context, query: str) -> None:
    """Services whose name, number or papers match QUERY, with fee and days."""
    call(ctx, "forms.services", query=query, words=_services)


@click.command()
@click.argument("form")
@click.pass_context
def definition(ctx: click.Context, form: str) -> None:
    """The newest definition of FORM and its hash."""
    call(ctx, "forms.definition", form=form)


@click.command()
@click.argument("form")
@click.option("--answers", required=True, type=_FILE, help="A JSON object: field → answer; files as lists of paths.")
@click.option("--service", help="Service of the catalogue, when it is not the form's own.")
@click.option("--finish", is_flag=True, help="Finish at once; without it a draft is left.")
@click.pass_context
def fill(ctx: click.Context, form: str, answers: Path, service: str | None, finish: bool) -> None:
    """Fill FORM from a file. With --finish everything or nothing is kept."""
    given = read_json(answers)
    if not isinstance(given, dict):
        raise Refused("CL-002", file=answers.name, reason="not an object")
    folder = answers.resolve().parent
    _with_problems(lambda: call(
        ctx, "forms.fill", form=form, answers={name: _near(value, folder) for name, value in given.items()}, service=service, finish=finish
    ))  # fmt: skip


@click.command()
@click.pass_context
def drafts(ctx: click.Context) -> None:
    """This officer's unfinished work, newest first."""
    call(ctx, "forms.drafts")


@click.command()
@click.argument("draft")
@click.pass_context
def check(ctx: click.Context, draft: str) -> None:
    """Everything that is missing or wrong in DRAFT; exit code 1 when something is."""
    if not call(ctx, "forms.check", draft=draft)["ready"]:
        ctx.exit(1)


@click.command()
@click.argument("draft")
@click.pass_context
def finish(ctx: click.Context, draft: str) -> None:
    """Finish DRAFT: it takes a receipt number and waits to be sent."""
    _with_problems(lambda: call(ctx, "forms.finish", draft=draft))


@click.command()
@click.argument("draft")
@click.pass_context
def discard(ctx: click.Context, draft: str) -> None:
    """Put DRAFT into the bin for thirty days."""
    call(ctx, "forms.discard", draft=draft)


@click.command("list")
@click.option("--filter", "filter_", default="", help="Part of a name, number, phone or place.")
@click.option(
    "--state",
    default="all",
    type=click.Choice(["all", "open", "due", "waiting", "sending", "received", "sent_back", "accepted", "withdrawn"]),
)
@click.option("--form", default="", help="Only this form.")
@click.option("--limit", default=50, type=click.IntRange(1, 500))
@click.option("--after", default="", help="Continue behind this id.")
@click.pass_context
def list_(ctx: click.Context, filter_: str, state: str, form: str, limit: int, after: str) -> None:
    """Submissions, newest first."""
    call(ctx, "forms.list", filter=filter_, state=state, form=form, limit=limit, after=after, words=_submissions)


@click.command()
@click.argument("id")
@click.pass_context
def show(ctx: click.Context, id: str) -> None:
    """One submission with answers, changes and history. The reading is noted in the audit log."""
    call(ctx, "forms.show", id=id)


@click.command()
@click.argument("id")
@click.option("--changes", required=True, type=_FILE, help="A JSON object: field → new answer.")
@click.option("--reason", required=True)
@click.pass_context
def correct(ctx: click.Context, id: str, changes: Path, reason: str) -> None:
    """Correct answers of a submission by a new record that names the old one."""
    _with_problems(lambda: call(ctx, "forms.correct", id=id, changes=read_json(changes), reason=reason))


@click.command()
@click.argument("id")
@click.option("--reason", required=True)
@click.pass_context
def withdraw(ctx: click.Context, id: str, reason: str) -> None:
    """Withdraw a submission; the record stays."""
    call(ctx, "forms.withdraw", id=id, reason=reason)


@click.command()
@click.argument("id")
@click.argument("out", type=_OUT)
@click.pass_context
def receipt(ctx: click.Context, id: str, out: Path) -> None:
    """Write the A5 receipt to OUT.pdf; every one after the first is a numbered copy."""
    call(ctx, "forms.receipt", id=id, out=str(out))


@click.command()
@click.argument("text_")
@click.pass_context
def case(ctx: click.Context, text_: str) -> None:
    """The case of a receipt: its number, or what its QR code says."""
    call(ctx, "forms.case_by_receipt", text=text_)


@click.command()
@click.argument("form")
@click.option("--format", "format_", required=True, type=click.Choice(["csv", "jsonl"]))
@click.option(
    "--language", "language_", default="km", type=click.Choice(["km", "en"]), help="Language of headings and choices."
)
@click.option("--header", default="labels", type=click.Choice(["labels", "ids"]))
@click.argument("out", type=_OUT)
@click.pass_context
def export(ctx: click.Context, form: str, format_: str, language_: str, header: str, out: Path) -> None:
    """Write every submission of FORM to OUT."""
    call(ctx, "forms.export", form=form, format=format_, out=str(out), language=language_, header=header)


@click.command("eval")
@click.argument("expression")
@click.option("--instance", type=_FILE, help="Answers: the XML of an instance or of a whole XForm, or a JSON object.")
@click.option("--at", "at", default="", help="Where it stands: /data/row[2]/x; without it the root element.")
@click.option("--list", "lists", multiple=True, metavar="ID=FILE.csv", help="A list for instance('ID') and pulldata.")
@click.option(
    "--language", "language_", default="en", type=click.Choice(["km", "en"]), help="Of months, days and choices."
)
@click.pass_context
def eval_(
    ctx: click.Context, expression: str, instance: Path | None, at: str, lists: tuple[str, ...], language_: str
) -> None:
    """Try EXPRESSION as an author of forms: its value and type. Nothing is unlocked or changed."""
    from modules.forms.xpath import trial

    desk = ctx.find_object(Desk)
    if desk is None:
        raise click.UsageError("run this through sala-cli")
    given = trial.contents(instance) if instance else b"{}"
    named = dict(one.partition("=")[::2] for one in lists)
    sheets = {id: (file, trial.contents(Path(file))) for id, file in named.items()}
    desk.print(
        trial.run(expression, given, name=instance.name if instance else "", at=at, lists=sheets, language=language_)
    )


@click.command("import")
@click.argument("file", type=_FILE)
@click.option("--older", type=_FILE, help="The version before: its ids are kept, and what would be lost is said.")
@click.option("--out", type=_OUT, help="Write the form: OUT.json (Sala), OUT.xml (XForm) or OUT.xlsx (XLSForm).")
@click.pass_context
def import_(ctx: click.Context, file: Path, older: Path | None, out: Path | None) -> None:
    """Read an XLSForm, XForm, FormSG JSON or Sala FILE and say everything about it. It is not yet put among this laptop's forms."""
    from modules.forms.interchange import giving, taking

    desk = ctx.find_object(Desk)
    if desk is None:
        raise click.UsageError("run this through sala-cli")
    before = taking.take_file(older).form if older else None
    taken = taking.take_file(file, older=before)
    result = {**taken.json(), "stored": False}
    if out is not None:
        result |= {"out": str(out), "left_out": [one.json() for one in giving.give_file(taken.form, out)]}
    desk.print(result, _taken)


@click.command()
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.pass_context
def compare(ctx: click.Context, before: Path, after: Path) -> None:
    """What the form AFTER changes in BEFORE, question by question."""
    from modules.forms.interchange import taking
    from modules.forms.model.changes import changes

    desk = ctx.find_object(Desk)
    if desk is None:
        raise click.UsageError("run this through sala-cli")
    old = taking.take_file(before).form
    found = changes(old, taking.take_file(after, older=old).form)
    desk.print({"changes": [one.json() for one in found]}, _compared)


@click.command("convert-workbook", hidden=True)
@click.argument("kind")
def convert_workbook(kind: str) -> None:
    """The bounded process of ``import``: an XLSForm on standard input becomes an XForm on standard output."""
    from modules.forms.interchange import converter

    converter.run(kind)


def _near(value: Any, folder: Path) -> Any:
    """Paths of an answers file are meant from where it lies; a list of names is one of paths only if they are there."""
    if isinstance(value, list) and value and all(isinstance(one, str) and (folder / one).is_file() for one in value):
        return [str(folder / one) for one in value]
    return value


def _with_problems(work: Any) -> None:
    """Run ``work``; when answers are refused, say each problem on the error stream before the refusal itself."""
    try:
        work()
    except Refused as error:
        problems: Any = error.values.get("problems") or ()
        for one in problems:
            click.echo(f"{one['field']}: {one['words'][language()]} ({one['code']})", err=True)
        raise


def _taken(result: Any) -> str:
    """One form in words: what it is, what it needs, what is said about it."""
    count = result["count"]
    title = next(iter(result["title"].values()))
    lines = [
        f"{title} ({result['id']}, {result['version']}) · {result['kind']} · {', '.join(result['languages'])}",
        f"{count['field']} / {count['group']} / {count['repeat']} · {result['def_hash'][:16]}",
        *(f"+ {name}" for name in result["files"]),
    ]
    for one in [*result["diagnostics"], *result.get("left_out", ())]:
        place = " ".join(str(part) for part in (one["sheet"], one["row"] or "", one["where"]) if part)
        lines.append(f"{one['code']} {one['grade']} {place}: {one['words'][language()]}")
    return "\n".join(lines)


def _compared(result: Any) -> str:
    signs = {"added": "+", "removed": "-", "renamed": "=", "moved": ">", "changed": "~"}
    return "\n".join(
        f"{signs[one['kind']]} {one['part']} {one['id']} {one['member']}  {one['before']} → {one['after']}"
        for one in result["changes"]
    )


def _services(result: Any) -> str:
    return "\n".join(
        f"{row['number']:>3}  {text(row['title'])} · {row['fee']:,} ៛ · {row['days']} · {row['form']} ({row['id']})"
        for row in result["services"]
    )


def _submissions(result: Any) -> str:
    rows = [
        f"{row['receipt']}  {row['shown_state']:<10} {row['received']}  {row['person']} · {text(row['title'])}  {row['id']}"
        for row in result["rows"]
    ]
    return "\n".join([*rows, f"{len(rows)} / {result['total']}"])
