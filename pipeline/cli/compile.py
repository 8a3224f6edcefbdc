"""``sluiceway compile``: a use case as a Kubeflow Pipelines v2 document."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

import click

from configs.errors import UsageError
from serving.cli_frame import json_option, print_json, settings_options


@click.command(context_settings={"default_map": {"environment": "kubeflow"}, "show_default": False})
@click.argument("use_case")
@settings_options
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file to write; else <USE_CASE>.yaml here.")
@click.option("-v", "--verbose", is_flag=True, help="Show what the libraries print.")
@json_option
def compile(use_case: str, environment: str, overrides: tuple[str, ...], output: Path | None, verbose: bool, as_json: bool) -> None:
    """Compile the pipeline of USE_CASE to Kubeflow Pipelines v2: every node a container step. The same input gives the same bytes.

    \b
    Example:
      sluiceway compile taxi -o taxi.yaml
      sluiceway compile taxi --set kubeflow.image=registry.example/sluiceway@sha256:...
    """
    import tempfile

    from configs.load import load_settings
    from pipeline.cli.files import write_whole
    from pipeline.cli.noise import kept_in
    from pipeline.kubeflow.sections import check_environment

    settings, target = load_settings(use_case, environment, overrides), output or Path(f"{use_case}.yaml")
    # Before the many seconds of TFX's import.
    check_environment(settings)
    if not target.absolute().parent.is_dir():
        raise UsageError(f"{target}: there is no folder {target.absolute().parent}; give another file (-o FILE)")
    with tempfile.TemporaryDirectory(prefix="sluiceway-compile-") as folder, kept_in(Path(folder) / "log.txt", verbose=verbose):
        from pipeline.kubeflow.compile import compile_pipeline

        text = compile_pipeline(settings)
    changed = write_whole(target, text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if as_json:
        print_json(
            {"use_case": use_case, "file": str(target), "sha256": digest, "changed": changed, "image": settings.environment.kubeflow.image}
        )
        return
    click.echo(f"{'COMPILED' if changed else 'UNCHANGED'} {target} ({len(text.splitlines())} lines, sha256 {digest[:12]})")
    place = () if environment == "kubeflow" else ("--env", environment)
    click.echo(f"next {shlex.join(['sluiceway', 'submit', use_case, *place, '--file', str(target), '--watch'])}")
