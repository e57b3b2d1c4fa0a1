// The tslab kernel, changed where it is not safe or not helpful: node kernel.cjs CONNECTION_FILE
const { readFileSync } = require("node:fs");
const { Worker } = require("node:worker_threads");
const { createGuard, keyOf } = require("./guard.cjs");

// It takes no message that is not signed with its key, and does not start without one. tslab answers unsigned ones with the signature that would have been right.
const configPath = process.argv.at(-1) ?? "";
const guard = createGuard(keyOf(JSON.parse(readFileSync(configPath, "utf8"))));

const { cells } = require("./interpreter.cjs");
const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter.js");
const { startKernel } = require("tslab/dist/main.js");
const { versions } = require("tslab/dist/public.js");

// It ends with the program that started it: a kernel left behind by a killed runner or JupyterLab would go on computing.
// A worker watches, because a cell can keep the main thread busy for long.
const watch = `
  const { workerData: parent } = require("node:worker_threads");
  setInterval(() => {
    try {
      process.kill(parent, 0);
    } catch (error) {
      if (error.code === "ESRCH") process.kill(process.pid, "SIGKILL");
    }
  }, 1000);
`;

new Worker(watch, { eval: true, workerData: process.ppid, execArgv: [] }).unref();

// It takes none before all sockets are bound: on a busy machine a message can come while the one that answers is not yet.
/** @type {Promise<void>[]} */
const binding = [];
const { handleShellMessage } = ZmqServer.prototype;
const server = /** @type {any} */ (ZmqServer.prototype); // binding is private
const { bindSocket } = server;
server.bindSocket = function (/** @type {unknown[]} */ ...given) {
  const bound = bindSocket.apply(this, given).catch((/** @type {Error} */ error) => {
    // another program took the port meanwhile: whoever starts kernels tries other ones, once this one has ended
    console.error(`The kernel can not listen: ${error.message}`);
    process.exit(1);
  });
  binding.push(bound);
  return bound;
};
/** @param {import("zeromq").Router} socket @param {Buffer[]} frames */
ZmqServer.prototype.handleShellMessage = async function (socket, ...frames) {
  await Promise.all(binding);
  const message = guard(frames);
  if (message) await handleShellMessage.call(this, socket, ...message);
};

// It says of itself what is true, and what Jupyter's protocol demands.
const { handleKernel } = JupyterHandlerImpl.prototype;
JupyterHandlerImpl.prototype.handleKernel = function () {
  const about = handleKernel.call(this);
  const language_info = { ...about.language_info, version: versions.typescript };
  return { ...about, status: "ok", implementation_version: versions.tslab, language_info };
};

// It loses no error: the cell that did it fails, else the one that runs when the error comes. The reply says why, and so does the cell,
// by the message that JupyterLab, nbval and papermill take for a failure; tslab writes errors to the standard error output.
/** @type {WeakMap<object, (content: object) => void>} by the request's content: publishes what the cell shows of its error */
const showError = new WeakMap();
const { handleExecute: answerExecute } = ZmqServer.prototype;
/** @param {Parameters<typeof answerExecute>} request */
ZmqServer.prototype.handleExecute = function (...request) {
  const [, message] = request;
  showError.set(message.content, (content) => {
    const error = message.createReply();
    error.header.msg_type = "error";
    error.content = content;
    error.signAndSend(this.connInfo.key, this.iopub);
  });
  return answerExecute.apply(this, request);
};
const { handleExecute } = JupyterHandlerImpl.prototype;
/** @param {Parameters<typeof handleExecute>} request */
JupyterHandlerImpl.prototype.handleExecute = async function (...request) {
  const reply = await handleExecute.apply(this, request);
  if (reply.status !== "error") return reply;
  const { failure, shown } = cells.takeFailure();
  showError.get(request[0])?.({ ename: failure.ename, evalue: failure.evalue, traceback: shown });
  return { ...reply, ...failure };
};

// It is this tslab, with these changes, and none that lies above the notebook's folder.
startKernel({ configPath, enableFindLocal: false });
cells.listen();
