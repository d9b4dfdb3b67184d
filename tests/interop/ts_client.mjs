#!/usr/bin/env node
// Checks an MCP server with the official TypeScript SDKs: v1 (@modelcontextprotocol/sdk) or
// v2 (@modelcontextprotocol/client). Prints one JSON line per check: {"check", "ok", "detail"}.
// Exit code 1 if a check failed, 2 if the server could not be reached. The server is `fixture-mcp`,
// directly or behind a gateway.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `usage: ts_client.mjs --sdk v1|v2 --modules DIR (--stdio JSON | --url URL) [--bearer TOKEN]
                     [--mode auto|legacy]   (v2 only)`;
const TEXT_URI = 'fixture://text';
const TRICKY = {
  text: 'Grüße — \u0000 🔒 "quoted" \\ /',
  nested: { list: [1, -2, 3.5, null, true, { deep: [] }], '': 'empty name' },
  number: 1e-7,
};
const PATIENCE_MS = 30_000;

const { values: options } = parseArgs({
  options: {
    sdk: { type: 'string' },
    modules: { type: 'string' },
    stdio: { type: 'string' },
    url: { type: 'string' },
    bearer: { type: 'string' },
    mode: { type: 'string', default: 'auto' },
  },
});
if (!['v1', 'v2'].includes(options.sdk) || !options.modules || !options.stdio === !options.url) {
  console.error(USAGE);
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
const heard = {
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
  const capabilities = { sampling: {}, elicitation: {} };
  const client = new sdk.Client({ name: 'interop', version: '1' }, { capabilities, ...sdk.clientOptions });
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

const textOf = result => result.content.filter(part => part.type === 'text').map(part => part.text).join('');

function checksOf(client, version) {
  const isModern = version >= '2026-07-28' && version < 'a';
  const withLogs = isModern ? { _meta: { 'io.modelcontextprotocol/logLevel': 'info' } } : {};
  const call = (name, args, more) => sdk.callTool(client, { name, arguments: args, ...withLogs }, more);
  const keepTouching = async until => {
    // A server may acknowledge a subscription a little before it serves it.
    while (!until()) {
      await call('touch', {});
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  };

  return {
    async list_tools() {
      const names = (await client.listTools()).tools.map(tool => tool.name).sort();
      for (const name of ['echo', 'slow', 'ask_model', 'ask_user', 'fail']) assert(names.includes(name));
      return names;
    },
    async tool_annotations() {
      const { tools } = await client.listTools();
      assert.equal(tools.find(tool => tool.name === 'echo').annotations.readOnlyHint, true);
    },
    async echo() {
      const result = await call('echo', TRICKY);
      assert.deepEqual(JSON.parse(textOf(result)), TRICKY);
      assert.deepEqual(result.structuredContent, TRICKY);
    },
    async slow_with_progress() {
      const seen = [];
      const onprogress = ({ progress, total }) => seen.push([progress, total]);
      const result = await call('slow', { steps: 4, delay_ms: 20 }, { onprogress });
      assert.equal(textOf(result), 'done after 4 steps');
      assert.deepEqual(seen, [[1, 4], [2, 4], [3, 4], [4, 4]]);
    },
    async parallel_calls() {
      const places = Array.from({ length: 20 }, (_, place) => place);
      const answers = await Promise.all(places.map(place => call('echo', { place })));
      assert.deepEqual(answers.map(answer => JSON.parse(textOf(answer)).place), places);
    },
    async cancelled_call_leaves_the_session_usable() {
      const stop = new AbortController();
      const slow = call('slow', { steps: 100, delay_ms: 100 }, {
        signal: stop.signal,
        onprogress: () => stop.abort('enough'),
      });
      await assert.rejects(slow);
      await this.echo();
    },
    async ask_model() {
      const result = await call('ask_model', { question: 'Capital of France?' });
      assert(!result.isError && textOf(result).includes('Paris'), textOf(result));
      return textOf(result);
    },
    async ask_user() {
      const result = await call('ask_user', { message: 'Who are you?' });
      assert(!result.isError && textOf(result).includes('Ada'), textOf(result));
      return textOf(result);
    },
    async log() {
      if (!isModern) await client.setLoggingLevel('info');
      await call('log', { message: 'hello log' });
      await heard.until(() => heard.logs.includes('hello log'));
    },
    async many_notifications() {
      heard.logs.length = 0;
      await call('emit', { count: 200 });
      await heard.until(() => heard.logs.length >= 200);
      assert.deepEqual(heard.logs, Array.from({ length: 200 }, (_, place) => place));
    },
    async big() {
      assert.equal(textOf(await call('big', { bytes: 1_000_000 })).length, 1_000_000);
    },
    async fail() {
      const result = await call('fail', { message: 'as asked' });
      assert.equal(result.isError, true);
      assert.equal(textOf(result), 'as asked');
    },
    async protocol_error() {
      await assert.rejects(call('protocol_error', {}), error => {
        assert.equal(error.code, -32602);
        assert.deepEqual(error.data, { n: 1 });
        return true;
      });
    },
    async resources() {
      const uris = (await client.listResources()).resources.map(resource => resource.uri);
      assert(uris.includes(TEXT_URI), uris);
      assert.equal((await client.readResource({ uri: TEXT_URI })).contents[0].text, 'a text resource');
      assert.equal((await client.readResource({ uri: 'fixture://binary' })).contents[0].blob, 'AAECAwT/');
    },
    async unknown_resource() {
      let code;
      await assert.rejects(client.readResource({ uri: 'fixture://nothing' }), error => {
        code = error.code;
        return true;
      });
      return code;
    },
    async subscription() {
      const isUpdated = () => heard.updates.includes(TEXT_URI);
      if (isModern) {
        const subscription = await client.listen({ resourceSubscriptions: [TEXT_URI] });
        await keepTouching(isUpdated);
        await subscription.close();
        return 'subscriptions/listen';
      }
      await client.subscribeResource({ uri: TEXT_URI });
      await call('touch', {});
      await heard.until(isUpdated);
      await client.unsubscribeResource({ uri: TEXT_URI });
      return 'resources/subscribe';
    },
    async prompts() {
      const names = (await client.listPrompts()).prompts.map(prompt => prompt.name);
      assert.deepEqual(names, ['remind']);
      const result = await client.getPrompt({ name: 'remind', arguments: { topic: 'a W-9' } });
      assert.equal(result.messages[0].content.text, 'Write a short reminder about a W-9.');
    },
    async ping() {
      if (isModern) return 'not part of this revision';
      await client.ping();
    },
  };
}

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

async function main() {
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

process.exit(await main());
