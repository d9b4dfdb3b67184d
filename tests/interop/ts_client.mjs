#!/usr/bin/env node
// Checks `fixture-mcp`, directly or behind a gateway, with an official TypeScript SDK. Prints one JSON
// line per check: {"check", "ok", "detail"}. Exit code 1 if a check failed, 2 if the server could not
// be reached.

import assert from 'node:assert/strict';
import { callTool, heard, main, textOf, toldSteps } from './harness.mjs';

const TEXT_URI = 'fixture://text';
const TRICKY = {
  text: 'Grüße — \u0000 🔒 "quoted" \\ /',
  nested: { list: [1, -2, 3.5, null, true, { deep: [] }], '': 'empty name' },
  number: 1e-7,
};

function checksOf(client, version) {
  const isModern = version >= '2026-07-28' && version < 'a';
  const withLogs = isModern ? { _meta: { 'io.modelcontextprotocol/logLevel': 'info' } } : {};
  const call = (name, args, more) => callTool(client, { name, arguments: args, ...withLogs }, more);
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
      toldSteps(seen, 4);
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
    // What a server of the modern era asks stands in a result, and the answer in another call.
    async asks_in_results() {
      if (!isModern) return 'not part of this revision';
      const params = { name: 'ask_user', arguments: { message: 'Who are you?' } };
      const asked = await callTool(client, params, { allowInputRequired: true });
      const [[name, question]] = Object.entries(asked.inputRequests);
      assert.equal(question.params.message, 'Who are you?');
      const inputResponses = { [name]: { action: 'accept', content: { name: 'Grace' } } };
      const result = await callTool(client, { ...params, inputResponses, requestState: asked.requestState });
      assert(!result.isError && textOf(result).includes('Grace'), textOf(result));
      return `${question.method} in a result`;
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
      if (isModern) {
        await assert.rejects(client.ping());
        return 'not part of this revision';
      }
      await client.ping();
      return 'answered';
    },
  };
}

await main(checksOf);
