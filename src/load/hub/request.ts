import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";
import { quote } from "../header-reader";
import { HubError } from "./problem";
import type { Session } from "./session";

/** A server's answer at the end of its redirects. */
export interface Answer {
  /** Scheme and host that gave it. */
  readonly origin: string;
  readonly status: number;
  /** The last answer's; what the hub itself said about the file on the way (`x-…`) is kept. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: IncomingMessage;
}

const REDIRECTS = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 10;
/** Longest pause (ms) that is waited for when a server asks for one. */
const LONGEST_WAIT = 5 * 60_000;
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/;

/**
 * Asks for an address and follows its redirects by hand: the token goes to the hub only and, once an answer has come
 * from elsewhere, nowhere any more. HEAD stops at a redirect to another host, since the hub has then said all it knows.
 * Throws HubError transient if the server can't be reached, hangs or has a fault of its own.
 */
export async function ask(
  session: Session,
  { method = "GET", url, headers = {} }: { method?: "GET" | "HEAD"; url: string; headers?: Record<string, string> },
): Promise<Answer> {
  const { endpoint, token } = session.settings;
  let at = new URL(url);
  let mayKnowToken = at.origin === new URL(endpoint).origin;
  let said: Answer["headers"] = {};
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const authorization: Record<string, string> = token && mayKnowToken ? { authorization: `Bearer ${token}` } : {};
    const body = await send(session, method, at, { ...headers, ...authorization });
    const { statusCode: status = 0, headers: got } = body;
    const answer = { origin: at.origin, status, headers: { ...said, ...(got as Answer["headers"]) }, body };
    const { location } = got as Answer["headers"];
    const next = REDIRECTS.includes(status) && location ? redirected(body, location, at) : undefined;
    if (next === undefined || (method === "HEAD" && next.origin !== at.origin)) return checkServer(answer);
    body.destroy();
    mayKnowToken &&= next.origin === at.origin;
    said = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => name.startsWith("x-")));
    at = next;
  }
  throw new HubError(`${url} was redirected more than ${MOST_REDIRECTS} times`);
}

/** Where a redirect leads. Throws HubError if that is no web address. */
function redirected(body: IncomingMessage, location: string, at: URL): URL {
  const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
  if (next && /^https?:$/.test(next.protocol)) return next;
  body.destroy();
  throw new HubError(
    `${at.origin} redirects to ${quote(location)}, which is no http address: check HF_ENDPOINT and the proxy`,
  );
}

async function send(session: Session, method: "GET" | "HEAD", url: URL, headers: Record<string, string>) {
  const { settings, signal } = session;
  const isSecure = url.protocol === "https:";
  const agent = agentFor(url, isSecure);
  const request = (isSecure ? https : http).request(url, {
    method,
    signal,
    agent,
    // as it is stored: sizes, ranges and hashes are those of the file itself
    headers: { "accept-encoding": "identity", ...headers },
  });
  const tooQuiet = () =>
    new HubError(`${url.host} has sent nothing for ${settings.stall / 1000} s`, { transient: true });
  const patience = setTimeout(() => request.destroy(tooQuiet()), settings.stall);
  try {
    return await new Promise<IncomingMessage>((resolve, reject) => {
      request.on("error", reject); // for ever: what comes after the answer has begun is told by the answer
      request.once("response", (answer) =>
        resolve(answer.setTimeout(settings.stall, () => answer.destroy(tooQuiet()))),
      );
      request.end();
    });
  } catch (error) {
    throw connectionProblem(session, url.host, error);
  } finally {
    clearTimeout(patience);
  }
}

/** One connection for one request, through the environment's proxy if it names one for this address. */
function agentFor(url: URL, isSecure: boolean): http.Agent | false {
  const proxy = getProxyForUrl(url.href);
  if (proxy === "") return false;
  if (!/^https?:$/.test(URL.canParse(proxy) ? new URL(proxy).protocol : ""))
    throw new HubError(
      `the proxy for ${url.host} is ${quote(proxy.replace(/\/\/.*@/, "//…@"))}; HTTPS_PROXY, HTTP_PROXY or ALL_PROXY must be an address such as http://host:8080, or empty`,
    );
  return isSecure ? new HttpsProxyAgent(proxy) : new HttpProxyAgent(proxy);
}

/** The answer's body, piece by piece. Throws HubError transient if the connection breaks or goes quiet. */
export async function* pieces(session: Session, { body }: Answer, host: string): AsyncGenerator<Buffer, void> {
  try {
    yield* body;
  } catch (error) {
    throw connectionProblem(session, host, error);
  }
}

function connectionProblem({ signal }: Session, host: string, error: unknown): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof HubError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const advice = CERTIFICATE.test(code)
    ? "its certificate is not trusted here: NODE_EXTRA_CA_CERTS=FILE adds one"
    : "check the network, HTTPS_PROXY and HF_ENDPOINT";
  return new HubError(`the connection to ${host} failed (${message || code}): ${advice}`, {
    transient: !CERTIFICATE.test(code),
    cause: error,
  });
}

/** Throws HubError transient if the server has too much to do or a fault of its own. */
function checkServer(answer: Answer): Answer {
  const { status, headers, origin } = answer;
  if (status !== 429 && status !== 408 && status < 500) return answer;
  const wait = retryAfter(headers["retry-after"]);
  const what = status === 429 ? "asks to slow down (429); with HF_TOKEN set it allows more" : `has a fault (${status})`;
  if (wait > LONGEST_WAIT) throw new HubError(`${origin} ${what}; try again in ${Math.ceil(wait / 60_000)} minutes`);
  throw new HubError(`${origin} ${what}`, { transient: true, wait });
}

/** @returns ms; 0 if nothing is asked for. The header holds seconds or a date. */
function retryAfter(value: string | undefined): number {
  if (value === undefined) return 0;
  const seconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}
