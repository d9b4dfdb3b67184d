// What the checks with the official TypeScript SDKs have in common: a connection, and how they are
// told. Each check prints one JSON line {"check", "ok", "detail"}. Works with v1
// (@modelcontextprotocol/sdk) and v2 (@modelcontextprotocol/client).

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = `--sdk v1|v2 --modules DIR (--stdio JSON | --url URL) [--bearer TOKEN]
       [--folder DIR]         what the client says is its root
       [--mode auto|legacy]   v2 only`;
const PATIENCE_MS = 30_000;

export const { values: options, positionals } = parseArgs({
  options: {
    sdk: { type: 'string' },
    modules: { type: 'string' },
    stdio: { type: 'string' },
    url: { type: 'string' },
    bearer: { type: 'string' },
    mode: { type: 'string', default: 'auto' },
    folder: { type: 'string', default: process.cwd() },
  },
  allowPositionals: true,
});
if (!['v1', 'v2'].includes(options.sdk) || !options.modules || !options.stdio === !options.url) {
  console.error(`usage: ${path.basename(process.argv[1])} ${USAGE}`);
  process.exit(2);
}

/** What differs between the two SDKs, behind one face. */
function loadSdk(name) {
  const require = createRequire(path.resolve(options.modules, 'from-here.js'));
  if (name === 'v2') {
    const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
    const { StdioClientTransport } = require('@modelcontextprotocol/client/stdio');
    return {
      Client,
      StdioClientTransport,
      StreamableHTTPClientTransport,
      clientOptions: { versionNegotiation: { mode: options.mode } },
      onRequest: (client, method, handler) => client.setRequestHandler(method, handler),
      onNotification: (client, method, handler) => client.setNotificationHandler(method, handler),
      callTool: (client, params, more) => client.callTool(params, more),
      version: client => client.getNegotiatedProtocolVersion(),
    };
  }
  const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
  const { StdioClientTransport } = require('@modelcontextprotocol/sdk/client/stdio.js');
  const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const types = require('@modelcontextprotocol/sdk/types.js');
  const schemas = {
    'roots/list': types.ListRootsRequestSchema,
    'sampling/createMessage': types.CreateMessageRequestSchema,
    'elicitation/create': types.ElicitRequestSchema,
    'notifications/message': types.LoggingMessageNotificationSchema,
    'notifications/resources/updated': types.ResourceUpdatedNotificationSchema,
  };
  return {
    Client,
    StdioClientTransport,
    StreamableHTTPClientTransport,
    clientOptions: {},
    onRequest: (client, method, handler) => client.setRequestHandler(schemas[method], handler),
    onNotification: (client, method, handler) => client.setNotificationHandler(schemas[method], handler),
    callTool: (client, params, more) => client.callTool(params, undefined, more),
    version: (client, transport) => transport.protocolVersion ?? 'a legacy revision',
  };
}

const sdk = loadSdk(options.sdk);

function transportOf() {
  if (options.stdio) {
    const [command, ...args] = JSON.parse(options.stdio);
    return new sdk.StdioClientTransport({ command, args, env: { ...process.env } });
  }
  const headers = options.bearer ? { Authorization: `Bearer ${options.bearer}` } : {};
  return new sdk.StreamableHTTPClientTransport(new URL(options.url), { requestInit: { headers } });
}

/** What the server told the client, and a way to wait for it. */
export const heard = {
  logs: [],
  updates: [],
  waiting: new Set(),
  note(list, value) {
    list.push(value);
    for (const look of this.waiting) look();
  },
  until(condition) {
    return new Promise(resolve => {
      const look = () => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  },
};

async function connect() {
  const capabilities = { sampling: {}, elicitation: {}, roots: {} };
  const client = new sdk.Client({ name: 'interop', version: '1' }, { capabilities, ...sdk.clientOptions });
  sdk.onRequest(client, 'roots/list', async () => ({ roots: [{ uri: pathToFileURL(options.folder).href }] }));
  sdk.onRequest(client, 'sampling/createMessage', async () => ({
    role: 'assistant',
    content: { type: 'text', text: 'Paris' },
    model: 'scripted',
  }));
  sdk.onRequest(client, 'elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }));
  sdk.onNotification(client, 'notifications/message', message => heard.note(heard.logs, message.params.data));
  sdk.onNotification(client, 'notifications/resources/updated', message => {
    heard.note(heard.updates, message.params.uri);
  });
  const transport = transportOf();
  await client.connect(transport);
  return { client, version: String(sdk.version(client, transport)) };
}

export const callTool = (client, params, more) => sdk.callTool(client, params, more);

export const textOf = result => result.content.filter(part => part.type === 'text').map(part => part.text).join('');

function print(check, ok, detail) {
  console.log(JSON.stringify({ check, ok, detail: detail ?? null }));
}

async function inTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs the checks and ends the process: 0 if all passed, 1 if one failed, 2 if nothing could be reached. */
export async function main(checksOf) {
  process.exit(await outcome(checksOf));
}

async function outcome(checksOf) {
  let connected;
  try {
    connected = await inTime(connect());
  } catch (error) {
    print('connect', false, String(error));
    return 2;
  }
  const { client, version } = connected;
  print('connect', true, `${version} with ${client.getServerVersion()?.name}`);
  const checks = checksOf(client, version);
  let failed = 0;
  for (const name of Object.keys(checks)) {
    try {
      print(name, true, await inTime(checks[name]()));
    } catch (error) {
      failed += 1;
      print(name, false, String(error?.stack ?? error).split('\n').slice(0, 3).join(' '));
    }
  }
  await client.close();
  return failed ? 1 : 0;
}

// Steps were told, in order, from the first. Of the last ones the SDK may not tell: it forgets a call before it
// takes up progress that arrived together with the result. That each one passes is seen with the Python SDK.
export function toldSteps(seen, total) {
  const steps = Array.from({ length: total }, (_, step) => [step + 1, total]);
  assert(seen.length > 0, 'no step was told');
  assert.deepEqual(seen, steps.slice(0, seen.length));
}
