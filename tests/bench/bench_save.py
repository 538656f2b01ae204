"""What an officer waits for: an answer made durable, a form finished; beside the disk's own fsync."""

from __future__ import annotations

from pathlib import Path

from tests.bench.office import fsync_ms, unlocked
from tests.bench.rows import Row, quantile, timed


def rows(folder: Path) -> list[Row]:
    from desktop.day import samples

    with unlocked(folder) as session:
        run = session.commands.run
        draft = run("forms.start", form="birth-extract-copy")["draft"]
        answer = timed(
            lambda: run("forms.set_answer", draft=draft, field="applicant", value=samples.BIRTH["applicant"]), 200
        )

        drafts = []
        for _ in range(150):
            drafts.append(run("forms.start", form="birth-extract-copy")["draft"])
            for field, value in samples.BIRTH.items():
                run("forms.set_answer", draft=drafts[-1], field=field, value=value)
        finish = timed(lambda: run("forms.finish", draft=drafts.pop()), 150)
        disk = fsync_ms(folder)
    beside = f"fsync of this disk p99 {disk:.1f} ms"
    return [
        Row("answer durable, p99", quantile(answer, 0.99), "ms", 1000, beside=beside),
        Row("finish (save), p99", quantile(finish, 0.99), "ms", 50, beside=beside),
        Row("finish (save), median", quantile(finish, 0.5), "ms", 50, beside=beside),
    ]
