"""The guards against hostile text, each as the text that takes it out and the tests that must notice."""

from __future__ import annotations

from tests.crash.guards import Guard

_REPLIES = "tests/hostile/test_replies.py"
_PLANS = "tests/hostile/test_plans.py"
_SPECS = "tests/hostile/test_specs.py"
_PATHS = "tests/hostile/test_paths.py"
_CANARIES = "tests/hostile/test_canaries.py"
_TEXTS = "tests/hostile/test_texts.py"

HOSTILE_GUARDS = (
    Guard(
        name="writer to stdout",
        file="reconciler/cli/output.py",
        text="    _print(harmless(text, colours=_is_terminal()))",
        by="    _print(text)",
        tests=(_TEXTS,),
    ),
    Guard(
        name="writer to stderr",
        file="reconciler/cli/output.py",
        text="        click.echo(harmless(text), err=True",
        by="        click.echo(text, err=True",
        tests=(_TEXTS,),
    ),
    Guard(
        name="writer of logs",
        file="reconciler/cli/logs.py",
        text="        return harmless(super().format(record))",
        by="        return super().format(record)",
        tests=(_TEXTS,),
    ),
    Guard(
        name="characters unseen",
        file="reconciler/rendering/paint.py",
        text="        char if char.isprintable() and not INVISIBLE.match(char) else",
        by="        char if char.isprintable() else",
        tests=(_TEXTS,),
    ),
    Guard(
        name="characters that command",
        file="reconciler/rendering/paint.py",
        text="        char if char.isprintable() and not INVISIBLE.match(char) else",
        by="        char if not INVISIBLE.match(char) or char in '\\x1b\\r' else",
        tests=(_REPLIES,),
    ),
    Guard(
        name="commands of runners",
        file="reconciler/rendering/paint.py",
        text='        text = RUNNER_COMMAND.sub(r"#\\\\u{23}", text)\n',
        by="        pass\n",
        tests=(_REPLIES,),
    ),
    Guard(
        name="commands of a line",
        file="reconciler/rendering/paint.py",
        text="if _COMMAND_START.match(safe) else safe",
        by="if False else safe",
        tests=(_TEXTS,),
    ),
    Guard(
        name="commands in JSON",
        file="reconciler/rendering/json_text.py",
        text='    return RUNNER_COMMAND.sub(r"#\\\\u0023", text) if "##" in text else text',
        by="    return text",
        tests=(_TEXTS,),
    ),
    Guard(
        name="commands in annotations",
        file="reconciler/rendering/annotations.py",
        text='    return clean(text).replace("%", "%25")',
        by='    return text.replace("%", "%25")',
        tests=(_TEXTS,),
    ),
    Guard(
        name="code in Markdown",
        file="reconciler/rendering/markdown.py",
        text="        pieces.append(shape(piece.text) if isinstance(piece, Theirs) else words(piece))",
        by="        pieces.append(piece.text if isinstance(piece, Theirs) else words(piece))",
        tests=("tests/unit/rendering/test_markdown.py",),
    ),
    Guard(
        name="digest of a plan",
        file="reconciler/formats/planfile.py",
        text="        sound = stated == digest(document)\n",
        by="        sound = True\n",
        tests=(_PLANS,),
    ),
    Guard(
        name="forged calls",
        file="reconciler/usecases/spec_moves.py",
        text="    if not _asks_for(resource, call, lines):\n",
        by="    if False:\n",
        tests=(_PLANS,),
    ),
    Guard(
        name="calls in the way",
        file="reconciler/formats/planfile.py",
        text="    _check_calls(calls)\n",
        by="",
        tests=(_PLANS,),
    ),
    Guard(
        name="redacting",
        file="reconciler/providers/signing.py",
        text="        return redacted(data, [secret.reveal() for secret in known if secret is not None])",
        by="        return data",
        tests=(_CANARIES,),
    ),
    Guard(
        name="redacting, sessions",
        file="reconciler/providers/dataarts/tokens.py",
        text="        return redacted(data, [self.value.reveal()])",
        by="        return data",
        tests=(_CANARIES,),
    ),
    Guard(
        name="redacting, logins",
        file="reconciler/providers/dataarts/tokens.py",
        text="        return redacted(data, [self._user.password.reveal()])",
        by="        return data",
        tests=(_CANARIES,),
    ),
    Guard(
        name="redacting, answers to logins",
        file="reconciler/providers/dataarts/tokens.py",
        text="        answer = dataclasses.replace(told.value, body=redacted(told.value.body, [given]))\n",
        by="        answer = told.value\n",
        tests=(_CANARIES,),
    ),
    Guard(
        name="redacting, OBShell",
        file="reconciler/providers/obshell/passwords.py",
        text="        return redacted_text(text, self._texts())",
        by="        return text",
        tests=(_CANARIES,),
    ),
    Guard(
        name="straight to the service",
        file="reconciler/providers/http.py",
        text="        trust_env=False,\n",
        by="        trust_env=True,\n",
        tests=("tests/unit/providers/test_http.py",),
    ),
    Guard(
        name="invisible characters in files",
        file="reconciler/documents/decoding.py",
        text="        if index == _REPORTED:\n",
        by="        if True:\n",
        tests=(_SPECS,),
    ),
    Guard(
        name="invisible characters by escape",
        file="reconciler/documents/composing.py",
        text="            if (found := INVISIBLE.search(text)) is not None:\n",
        by="            if (found := INVISIBLE.search('')) is not None:\n",
        tests=(_SPECS,),
    ),
    Guard(
        name="duplicate keys",
        file="reconciler/documents/composing.py",
        text="            if key.text in parent.entries:\n",
        by="            if False:\n",
        tests=(_SPECS,),
    ),
    Guard(
        name="tags",
        file="reconciler/documents/composing.py",
        text="        if event.tag is not None:\n",
        by="        if False:\n",
        tests=(_SPECS,),
    ),
    Guard(
        name="depth of documents",
        file="reconciler/documents/composing.py",
        text="        if len(self._open) == DEPTH_LIMIT:\n",
        by="        if False:\n",
        tests=(_SPECS,),
    ),
    Guard(
        name="size of documents",
        file="reconciler/documents/composing.py",
        text="        if self._count > NODE_LIMIT:\n",
        by="        if False:\n",
        tests=(_SPECS,),
    ),
    Guard(
        name="size of files",
        file="reconciler/documents/decoding.py",
        text="    if len(data) > FILE_LIMIT:\n",
        by="    if False:\n",
        tests=(_SPECS,),
    ),
    Guard(
        name="size of projects",
        file="reconciler/specs/finding.py",
        text="        if self._total > TOTAL_LIMIT:\n",
        by="        if False:\n",
        tests=(_PATHS,),
    ),
)
