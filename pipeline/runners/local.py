"""Runs the pipeline in this process, with TFX's BeamDagRunner, and tells what each node does."""

from __future__ import annotations

import threading
import time
from typing import Any

from tfx.dsl.compiler import compiler
from tfx.orchestration import metadata
from tfx.orchestration.beam import beam_dag_runner
from tfx.orchestration.portable import launcher

from components.inspect import inspect_node
from components.report import NodeReport
from configs.errors import SluicewayError
from pipeline.errors import node_error
from pipeline.nodes import NEVER_CACHED
from pipeline.runners.base import Listener, NodeEvent, Outcome
from pipeline.training import trials
from serving.verdict import Verdict


class _Watch:
    """What one run shares with its nodes: Beam pickles the node objects, so they find it by pipeline name."""

    def __init__(self, listener: Listener, raw_label: str) -> None:
        self.listener = listener
        self.raw_label = raw_label
        self.refused: Verdict | None = None
        self.failed: tuple[str, BaseException] | None = None
        self.reports: dict[str, NodeReport] = {}
        self.one_at_a_time = threading.Lock()


_WATCHES: dict[str, _Watch] = {}


class _WatchedNode(beam_dag_runner.PipelineNodeAsDoFn):  # type: ignore[misc] # tfx has no types
    """A node that tells when it starts and ends, and that does not run once a gate has refused."""

    def _run_node(self) -> None:
        watch = _WATCHES[self._pipeline_info.id]
        with watch.one_at_a_time:
            if watch.refused is not None or watch.failed is not None:
                return
            started = time.monotonic()
            watch.listener(NodeEvent(self._node_id, "running"))
            try:
                with trials.listening(lambda said: watch.listener(NodeEvent(self._node_id, "running", figure=said))):
                    report = self._launch()
            except BaseException as error:
                watch.failed = (self._node_id, error)
                watch.listener(NodeEvent(self._node_id, "failed", time.monotonic() - started))
                raise
            watch.reports[self._node_id] = report
            state = "cached" if report.cached else "done"
            if report.verdict is not None and not report.verdict.accepted:
                watch.refused, state = report.verdict, "refused"
            watch.listener(NodeEvent(self._node_id, state, time.monotonic() - started, report.figure))  # type: ignore[arg-type]

    def _launch(self) -> NodeReport:
        connection = metadata.Metadata(self._mlmd_connection_config)
        info = launcher.Launcher(
            pipeline_node=self._pipeline_node,
            mlmd_connection=connection,
            pipeline_info=self._pipeline_info,
            pipeline_runtime_spec=self._pipeline_runtime_spec,
            executor_spec=self._executor_spec,
            platform_config=self._extract_platform_config(self._deployment_config, self._node_id),
            custom_driver_spec=self._custom_driver_spec,
        ).launch()
        return inspect_node(self._node_id, connection, info.execution_id, _WATCHES[self._pipeline_info.id].raw_label)


class LocalRunner(beam_dag_runner.BeamDagRunner):  # type: ignore[misc] # tfx has no types
    """TFX's local runner, with node events, gates that stop the run, and no cache for nodes that read the store."""

    _PIPELINE_NODE_DO_FN_CLS = _WatchedNode

    def run_nodes(self, pipeline: Any, listener: Listener, *, raw_label: str) -> Outcome:
        """Run until the end or until a gate refuses; see ``runners/base.py``."""
        compiled = compiler.Compiler().compile(pipeline)
        for node in compiled.nodes:
            if node.pipeline_node.node_info.id in NEVER_CACHED:
                node.pipeline_node.execution_options.caching_options.enable_cache = False
        name = compiled.pipeline_info.id
        watch = _WATCHES[name] = _Watch(listener, raw_label)
        try:
            self.run_with_ir(compiled)
        except Exception as error:
            # Beam wraps whatever a node raises, Ctrl-C too.
            if watch.failed is not None and isinstance(watch.failed[1], KeyboardInterrupt):
                raise KeyboardInterrupt from error
            raise _told(watch, error) from error
        finally:
            del _WATCHES[name]
        return _outcome(watch)


def _outcome(watch: _Watch) -> Outcome:
    pushed = watch.reports["Pusher"].figures if "Pusher" in watch.reports else {}
    evaluated = watch.reports["Evaluator"].figures if "Evaluator" in watch.reports else {}
    return Outcome(watch.refused, pushed.get("decision"), pushed.get("version"), dict(evaluated))


def _told(watch: _Watch, error: BaseException) -> SluicewayError:
    """The node's own error; Beam wraps it in texts of its own."""
    return node_error(*(watch.failed or ("the runner", error)))
