"""Executes notebooks through the tslab kernel, a fresh kernel each, one after another or a few at once.

    python run_notebooks.py JOBS.json

JOBS.json: {"jobs": [{"name", "source", "folder", "notebook", "html" (may be ""), "back", "figures", "progress"}], "time_limit": seconds a cell,
"at_once": how many kernels there may be, "log": beginning of the files for what kernels write beside their messages, "plotly": path of plotly.js, "page": folder of the page template,
"root": the project}.
Says what happens on standard output, one JSON object a line; kernels don't have it, so that a cell's programs write to the
log. Ends, and ends its kernel, when standard input closes, or at Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

PLOTLY = "application/vnd.plotly.v1+json"
CLAIMS = "application/vnd.acronym-circuit.claims+json"
# a link to a file beside or above the notebook
LINK = re.compile(r'(<a [^>]*?href=")(?![#/]|[a-z]+:)([^"]+)')
KERNEL_SECONDS = 120
SKIP = "skip-execution"


class Fault(Exception):
    """A notebook that did not run to its end: the message is for the reader."""


def say(event: str, **facts) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


class Runner:
    def __init__(self, spec: dict) -> None:
        self.spec = spec
        self.stopped: str | None = None
        self.task: asyncio.Task | None = None

    async def run(self) -> int:
        self.task = asyncio.current_task()
        self.loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda number, _: self.stop(signal.Signals(number).name))
        threading.Thread(target=self.stop_with_parent, daemon=True).start()
        try:
            free = asyncio.Semaphore(self.spec["at_once"])

            async def in_turn(job: dict) -> None:
                async with free:
                    await self.notebook(job)

            await asyncio.gather(*(in_turn(job) for job in self.spec["jobs"]))
        except asyncio.CancelledError:
            say("stopped", by=self.stopped)
            return 130
        return 0

    def stop(self, by: str) -> None:
        if self.stopped:
            return
        self.stopped = by
        self.loop.call_soon_threadsafe(self.task.cancel)

    def stop_with_parent(self) -> None:
        while os.read(0, 1024):
            pass
        self.stop("the end of its input")

    async def notebook(self, job: dict) -> None:
        start = time.monotonic()
        cells = 0
        try:
            nb = read(job["source"])
            cells = sum(1 for _ in code_cells(nb))
            forget_outputs(nb)
            say("notebook", name=job["name"], cells=cells)
            await self.execute(nb, job)
            fault = None
        except Fault as error:
            fault = error.args[0]
        except Exception as error:  # a full disk: the next notebook may do better
            fault = {"error": f"It can not be run: {error}"}
        seconds = round(time.monotonic() - start, 1)
        facts = {"figures": 0, "claims": []}
        try:
            if cells:
                tidy(nb)
                save(nb, job["notebook"])
                facts = found_in(nb)
                if fault is None:
                    save_page(nb, job, self.spec)
        except Exception as error:  # an output that is no text, a full disk: the next notebook may do better
            for made in filter(None, (job["notebook"], job["html"])):
                Path(made).unlink(missing_ok=True)  # a half of it would keep the disk full
            shutil.rmtree(job["figures"], ignore_errors=True)
            fault = fault or {"error": f"What it made can not be saved: {error}"}
        say("done", name=job["name"], seconds=seconds, fault=fault, **facts)

    async def execute(self, nb, job: dict) -> None:
        cells = list(code_cells(nb))
        for number, (_, cell) in enumerate(cells, 1):
            if SKIP in cell.metadata.get("tags", []):
                raise Fault({"cell": number, "source": cell.source, "error": f"The tag {SKIP} would leave it out."})
        client = await self.start_kernel(nb, job)
        try:
            for number, (index, cell) in enumerate(cells, 1):
                say("cell", name=job["name"], cell=number, of=len(cells))
                cell.execution_count = number  # the kernel doesn't say it in a way that nbclient reads
                await self.answer(client.async_execute_cell(cell, index), cells, number)
            # errors that come after the last cell: an empty one waits for what is still under way
            await self.answer(nothing_left(client), cells, len(cells))
        finally:
            await shut_down(client)

    async def start_kernel(self, nb, job: dict) -> NotebookClient:
        """Kernel start is tried twice: another program may take one of the ports meanwhile."""
        for attempt in (1, 2):
            log = open(f"{self.spec['log']}-{job['name']}.log", "w+", encoding="utf-8", errors="replace")
            client = NotebookClient(
                nb,
                kernel_name="tslab",
                timeout=self.spec["time_limit"],
                startup_timeout=KERNEL_SECONDS,
                record_timing=False,
                store_widget_state=False,
                resources={"metadata": {"path": job["folder"]}},
                on_cell_executed=raise_failure,
            )
            client.create_kernel_manager()
            try:
                await client.async_start_new_kernel(
                    env={**os.environ, "ACRONYM_FIGURES": job["figures"], "ACRONYM_PROGRESS": job["progress"]},
                    stdout=log,
                    stderr=log,
                )
                await client.async_start_new_kernel_client()
                about = await client.async_wait_for_reply(client.kc.kernel_info())
                nb.metadata["language_info"] = about["content"]["language_info"]
                return client
            except asyncio.CancelledError:
                await shut_down(client)
                raise
            except Exception as error:
                await shut_down(client)
                if attempt == 2:
                    log.seek(0)
                    raise Fault({"error": f"The kernel did not start: {error}\n{log.read()[-2000:]}".strip()}) from error
            finally:
                log.close()

    async def answer(self, execution, cells: list, number: int) -> None:
        """Waits for the kernel's answer, while cell `number` runs or after it, the last one."""
        try:
            await execution
            return
        except CellTimeoutError:
            error = f"The cell ran longer than {self.spec['time_limit']} seconds, the limit (--time-limit)."
        except DeadKernelError:
            if self.stopped:  # nbclient reports a cancelled cell as a dead kernel
                raise asyncio.CancelledError from None
            error = "The kernel ended while the cell ran: process.exit() was called, or memory ran out."
        except CellFailed as failed:
            error = failed.error
            number = failed.cell or number
        raise Fault({"cell": number, "source": cells[number - 1][1].source, "error": self.readable(error)})

    def readable(self, trace: str) -> str:
        return trace.replace(self.spec["root"] + os.sep, "").strip()


class CellFailed(Exception):
    """By the kernel's answer: the cell that started what failed may be an earlier one."""

    def __init__(self, reply: dict) -> None:
        self.cell = reply.get("cell", 0)
        self.error = "\n".join(reply.get("traceback", [])) or "The cell failed without a message."


async def raise_failure(cell, cell_index, execute_reply) -> None:
    if execute_reply["content"]["status"] != "ok":
        raise CellFailed(execute_reply["content"])


async def nothing_left(client: NotebookClient) -> None:
    request = client.kc.execute("", silent=True, store_history=False)
    await raise_failure(None, None, await client.async_wait_for_reply(request))


async def shut_down(client: NotebookClient) -> None:
    """At once: a kernel has nothing to save, and one that outlives us keeps our pipes open."""
    if client.kc is not None:
        client.kc.stop_channels()
    if client.km is not None and client.km.has_kernel:
        await asyncio.wait_for(asyncio.shield(client.km.shutdown_kernel(now=True)), 30)


def read(source: str):
    try:
        nb = nbformat.read(source, as_version=4)
        nbformat.validate(nb)
        return nb
    except Exception as error:  # nbformat raises many kinds
        raise Fault({"error": f"{source} is not a readable notebook: {error}"}) from error


def code_cells(nb):
    return ((index, cell) for index, cell in enumerate(nb.cells) if cell.cell_type == "code" and cell.source.strip())


def forget_outputs(nb) -> None:
    """What is saved in it is of another run, perhaps of another model: a notebook that fails must not show it as its own."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None


def tidy(nb) -> None:
    """Leaves in a notebook what its reader needs, so that executing it again changes nothing else."""
    for _, cell in code_cells(nb):
        cell.outputs = merge_streams(cell.outputs)
    for index, cell in enumerate(nb.cells):
        kept = {key: cell.metadata[key] for key in ("tags", "nbgrader", "slideshow") if cell.metadata.get(key)}
        cell.metadata = nbformat.from_dict(kept)
        cell.setdefault("id", f"cell-{index + 1}")
    nb.nbformat_minor = max(nb.nbformat_minor, 5)
    nb.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "TypeScript (tslab)", "language": "typescript", "name": "tslab"},
            "language_info": nb.metadata.get("language_info", {"name": "typescript"}),
        }
    )


def merge_streams(outputs: list) -> list:
    """What one cell prints arrives in pieces whose number depends on the moment."""
    merged: list = []
    for out in outputs:
        last = merged[-1] if merged else None
        if out.output_type == "stream" and last and last.output_type == "stream" and last.name == out.name:
            last.text += out.text
        else:
            merged.append(out)
    return merged


def bundles(nb):
    return (out.data for _, cell in code_cells(nb) for out in cell.outputs if "data" in out)


def found_in(nb) -> dict:
    data = list(bundles(nb))
    claims = [claim for bundle in data if CLAIMS in bundle for claim in bundle[CLAIMS]["claims"]]
    return {"figures": sum(PLOTLY in bundle for bundle in data), "claims": claims}


def save(nb, file: str) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    # bytes, so that Windows does not change the line ends
    Path(file).write_bytes((nbformat.writes(nb).rstrip("\n") + "\n").encode())


def save_page(nb, job: dict, spec: dict) -> None:
    if not job["html"]:
        return  # none is wanted
    from nbconvert import HTMLExporter

    nb = nbformat.from_dict(nb)
    has_figures = False
    for bundle in bundles(nb):
        if PLOTLY in bundle:
            bundle["text/html"] = figure_html(bundle)
            has_figures = True
    exporter = HTMLExporter(template_name="page", extra_template_basedirs=[spec["page"]])
    plotly = Path(spec["plotly"]).read_text(encoding="utf-8").replace("</script", "<\\/script") if has_figures else ""
    resources = {"metadata": {"name": job["name"]}, "plotly": plotly}
    page, _ = exporter.from_notebook_node(nb, resources=resources)
    Path(job["html"]).parent.mkdir(parents=True, exist_ok=True)
    Path(job["html"]).write_text(LINK.sub(lambda link: moved(link, job["back"]), page), encoding="utf-8")


def moved(link: re.Match, back: str) -> str:
    """A link as the page needs it: to another notebook's page, which lies beside it, or back to the notebooks' folder."""
    start, target = link.groups()
    if re.match(r"[^/]+\.ipynb(#|$)", target):
        return start + target.replace(".ipynb", ".html")
    return f"{start}{quote(back)}/{target}"  # the page's own part is escaped already, a folder may be called anything


def figure_html(bundle) -> str:
    """The interactive figure, and its picture where scripts do not run."""
    source = json.dumps(bundle[PLOTLY]).replace("<", "\\u003c")
    alt = html.escape(bundle.get("text/plain", "figure"), quote=True)
    picture = bundle.get("image/png", "").replace("\n", "")
    return (
        f'<div role="img" aria-label="{alt}"></div><script type="application/json" class="figure-source">{source}</script>'
        f'<noscript><img alt="{alt}" src="data:image/png;base64,{picture}"></noscript>'
    )


if __name__ == "__main__":
    if sys.platform == "win32":  # zmq needs a selector loop
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    sys.exit(asyncio.run(Runner(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).run()))
