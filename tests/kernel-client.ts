// A kernel of its own and a client for it, as small as a test needs them.
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dealer, Subscriber } from "zeromq";
import { ROOT } from "../scripts/lib/paths.mjs";

export const DELIMITER = "<IDS|MSG>";
export const CHANNELS = ["shell", "control", "stdin"] as const;
const SECONDS = 60;

export interface Message {
  readonly header: { readonly msg_type: string };
  readonly parent: { readonly msg_id?: string };
  // biome-ignore lint/suspicious/noExplicitAny: each kind of message has its own fields
  readonly content: Record<string, any>;
}

export interface Answer {
  readonly reply: Message["content"];
  readonly stdout: string;
  readonly stderr: string;
}

export interface Connection {
  readonly ip: string;
  readonly transport: string;
  readonly key: string;
  readonly signature_scheme: string;
  readonly shell_port: number;
  readonly control_port: number;
  readonly stdin_port: number;
  readonly iopub_port: number;
  readonly hb_port: number;
}

/** Header, parent header, metadata and content of a request, as they are sent. */
export function request(type: string, content: object, id: string = randomUUID()): string[] {
  const header = { msg_id: id, session: "test", username: "test", date: new Date().toISOString(), msg_type: type };
  return [{ ...header, version: "5.3" }, {}, {}, content].map((part) => JSON.stringify(part));
}

export function sign(key: string, parts: readonly string[]): string {
  return createHmac("sha256", key).update(parts.join("")).digest("hex");
}

export class Kernel {
  /** What the process itself wrote, beside its messages. */
  log = "";
  /** Every message that the kernel published, as text. */
  readonly published: string[] = [];
  private readonly messages: Message[] = [];
  private readonly waiting = new Set<() => void>();

  private constructor(
    readonly connection: Connection,
    readonly process: ChildProcess,
    private readonly shell: Dealer,
    private readonly iopub: Subscriber,
    private readonly home: string,
  ) {
    for (const stream of [process.stdout, process.stderr]) stream?.on("data", (chunk) => (this.log += chunk));
    void this.listen(shell);
    void this.listen(iopub);
  }

  /** Starts `program` with the connection file as its last argument, in `folder`, and waits until it answers. */
  static async start({
    program = [join(ROOT, "scripts", "kernel.cjs")],
    folder = join(ROOT, "tests"),
  }: {
    program?: readonly string[];
    folder?: string;
  } = {}): Promise<Kernel> {
    const home = mkdtempSync(join(tmpdir(), "kernel-"));
    const [shell_port, control_port, stdin_port, iopub_port, hb_port] = await freePorts(5);
    const connection: Connection = {
      ...{ ip: "127.0.0.1", transport: "tcp", signature_scheme: "hmac-sha256" },
      ...{ key: randomBytes(16).toString("hex"), shell_port, control_port, stdin_port, iopub_port, hb_port },
    };
    const child = launch(connection, home, program, folder);
    const shell = new Dealer({ linger: 0 });
    const iopub = new Subscriber({ linger: 0 });
    shell.connect(`tcp://127.0.0.1:${shell_port}`);
    iopub.connect(`tcp://127.0.0.1:${iopub_port}`);
    iopub.subscribe();
    const kernel = new Kernel(connection, child, shell, iopub, home);
    await kernel.ask("kernel_info_request", {});
    // a subscription takes effect a moment after the connection
    for (let tries = 0; kernel.published.length === 0 && tries < 50; tries++)
      await kernel.ask("kernel_info_request", {});
    return kernel;
  }

  async execute(code: string): Promise<Answer> {
    const id = await this.send("execute_request", { code, silent: false, store_history: true });
    const { content } = await this.message((m) => m.parent.msg_id === id && m.header.msg_type === "execute_reply");
    await this.message((m) => m.parent.msg_id === id && m.content.execution_state === "idle");
    const text = (name: string) =>
      this.messages
        .filter((m) => m.parent.msg_id === id && m.header.msg_type === "stream" && m.content.name === name)
        .map((m) => m.content.text)
        .join("");
    return { reply: content, stdout: text("stdout"), stderr: text("stderr") };
  }

  async ask(type: string, content: object): Promise<Message["content"]> {
    const id = await this.send(type, content);
    return (await this.message((m) => m.parent.msg_id === id && m.header.msg_type.endsWith("_reply"))).content;
  }

  /** Sends a rightly signed request; gives its id. */
  async send(type: string, content: object): Promise<string> {
    const id = randomUUID();
    const parts = request(type, content, id);
    await this.sendFrames([DELIMITER, sign(this.connection.key, parts), ...parts]);
    return id;
  }

  sendFrames(frames: readonly string[]): Promise<void> {
    return this.shell.send([...frames]);
  }

  async end(): Promise<void> {
    this.shell.close();
    this.iopub.close();
    const ended = new Promise((done) => this.process.once("exit", done));
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGKILL");
      await ended;
    }
    rmSync(this.home, { recursive: true, force: true });
  }

  private async listen(socket: Dealer | Subscriber): Promise<void> {
    for await (const frames of socket) {
      const texts = frames.map(String);
      if (socket === this.iopub) this.published.push(texts.join("\n"));
      const [header, parent, , content] = texts.slice(texts.indexOf(DELIMITER) + 2).map((text) => JSON.parse(text));
      this.messages.push({ header, parent, content });
      for (const look of this.waiting) look();
    }
  }

  private message(fits: (message: Message) => boolean): Promise<Message> {
    return new Promise((found, failed) => {
      const give = (act: () => void) => {
        clearTimeout(limit);
        this.waiting.delete(look);
        act();
      };
      const look = () => {
        const message = this.messages.find(fits);
        if (message) give(() => found(message));
      };
      const tooLate = new Error(`the kernel did not answer within ${SECONDS} s\n${this.log}`);
      const limit = setTimeout(() => give(() => failed(tooLate)), SECONDS * 1000);
      this.waiting.add(look);
      look();
    });
  }
}

/** Starts a kernel's program with a connection file in `home`, which only we can read. */
export function launch(connection: object, home: string, program: readonly string[], cwd: string): ChildProcess {
  const file = join(home, "connection.json");
  writeFileSync(file, JSON.stringify(connection), { mode: 0o600 });
  return spawn(process.execPath, [...program, file], { cwd, stdio: ["ignore", "pipe", "pipe"] });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((done) => server.listen(0, "127.0.0.1", () => done(server)));
    }),
  );
  return Promise.all(
    servers.map((server) => {
      const { port } = server.address() as { port: number };
      return new Promise<number>((done) => server.close(() => done(port)));
    }),
  );
}
