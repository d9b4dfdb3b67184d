#!/usr/bin/env node
// Checks an official server, directly or behind a gateway, with an official TypeScript SDK. Prints one
// JSON line per check: {"check", "ok", "detail"}. Exit code 1 if a check failed, 2 if the server could
// not be reached.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { callTool, heard, main, options, positionals, textOf, toldSteps } from './harness.mjs';

const TEXT = 'Grüße — 🔒 "quoted" \\ /\nsecond line\n';

/** What every kind of server needs of a client. */
function handsOf(client) {
  const call = (name, args, more) => callTool(client, { name, arguments: args ?? {} }, more);
  return {
    call,
    /** What a tool says that must not fail. */
    async done(name, args, more) {
      const result = await call(name, args, more);
      assert(!result.isError, textOf(result));
      return result;
    },
    /** The names of all tools, among which the wanted ones must be. */
    async names(...wanted) {
      const names = (await client.listTools()).tools.map(tool => tool.name).sort();
      for (const name of wanted) assert(names.includes(name), `no ${name} in ${names}`);
      return names;
    },
    /** The progress that a call reports, and its result. */
    async watched(name, args) {
      const seen = [];
      const onprogress = ({ progress, total }) => seen.push([progress, total]);
      const result = await call(name, args, { onprogress });
      return { result, seen };
    },
  };
}

const KINDS = {
  filesystem(client, { call, done, names }) {
    const file = path.join(options.folder, 'typescript.txt');
    return {
      list_tools: () => names('read_text_file', 'write_file', 'edit_file', 'list_directory'),
      async write_and_read() {
        await done('write_file', { path: file, content: TEXT });
        assert.equal(await readFile(file, 'utf8'), TEXT);
        const result = await done('read_text_file', { path: file });
        assert.equal(textOf(result), TEXT);
        assert.deepEqual(result.structuredContent, { content: TEXT });
      },
      async edit() {
        const edits = [{ oldText: 'second', newText: '2nd' }];
        assert.match(textOf(await done('edit_file', { path: file, edits })), /\+2nd line/);
        assert.match(await readFile(file, 'utf8'), /2nd line/);
      },
      async list_folder() {
        const listed = textOf(await done('list_directory', { path: options.folder }));
        assert(listed.split('\n').includes('[FILE] typescript.txt'), listed);
      },
      async missing_file() {
        const result = await call('read_text_file', { path: `${file}.missing` });
        assert(result.isError && textOf(result).includes('ENOENT'), textOf(result));
      },
      async outside_is_refused() {
        const result = await call('read_text_file', { path: '/usr/share/doc/elsewhere' });
        assert(result.isError && textOf(result).includes('outside allowed directories'), textOf(result));
      },
    };
  },

  memory(client, { done, names }) {
    const entities = [
      { name: 'ada', entityType: 'person', observations: ['writes programs'] },
      { name: 'engine', entityType: 'machine', observations: ['has no electricity'] },
    ];
    const relations = [{ from: 'ada', to: 'engine', relationType: 'describes' }];
    return {
      list_tools: () => names('create_entities', 'create_relations', 'read_graph', 'search_nodes'),
      async create_and_read() {
        await done('create_entities', { entities });
        await done('create_relations', { relations });
        const graph = (await done('read_graph')).structuredContent;
        assert.deepEqual(graph, { entities, relations });
      },
      async search() {
        const found = (await done('search_nodes', { query: 'electricity' })).structuredContent;
        assert.deepEqual(found.entities.map(entity => entity.name), ['engine']);
      },
    };
  },

  everything(client, { call, done, names, watched }) {
    return {
      list_tools: () => names('echo', 'get-sum', 'trigger-elicitation-request', 'trigger-sampling-request'),
      async echo() {
        assert.equal(textOf(await done('echo', { message: TEXT })), `Echo: ${TEXT}`);
      },
      async sum() {
        assert.equal(textOf(await done('get-sum', { a: 2, b: 40 })), 'The sum of 2 and 40 is 42.');
      },
      async structured() {
        const result = await done('get-structured-content', { location: 'Chicago' });
        assert.equal(result.structuredContent.humidity, 82);
        assert.deepEqual(JSON.parse(textOf(result)), result.structuredContent);
      },
      async image() {
        const { content } = await done('get-tiny-image');
        assert.deepEqual(content.map(part => part.type), ['text', 'image', 'text']);
        assert(content[1].data.startsWith('iVBORw0KGgo'));
      },
      async links() {
        const { content } = await done('get-resource-links', { count: 4 });
        assert.equal(content.filter(part => part.type === 'resource_link').length, 4);
      },
      async long_operation() {
        const args = { duration: 0.4, steps: 4 };
        const { result, seen } = await watched('trigger-long-running-operation', args);
        assert.match(textOf(result), /completed/);
        toldSteps(seen, 4);
      },
      async elicitation() {
        const text = textOf(await done('trigger-elicitation-request'));
        assert(text.includes('User provided') && text.includes('Name: Ada'), text);
      },
      async sampling() {
        const text = textOf(await done('trigger-sampling-request', { prompt: 'Capital of France?' }));
        assert.match(text, /Paris/);
      },
      async roots() {
        const text = textOf(await done('get-roots-list'));
        assert(text.includes(pathToFileURL(options.folder).href), text);
      },
      async bad_arguments() {
        const result = await call('get-sum', { a: 'two' });
        assert(result.isError && textOf(result).includes('-32602'), textOf(result));
      },
      async resources() {
        const uris = (await client.listResources()).resources.map(resource => resource.uri);
        assert(uris.includes('demo://resource/static/document/features.md'), uris);
        const read = async uri => (await client.readResource({ uri })).contents[0];
        assert.match((await read('demo://resource/dynamic/text/3')).text, /^Resource 3/);
        assert((await read('demo://resource/dynamic/blob/4')).blob);
      },
      async subscription() {
        const uri = 'demo://resource/dynamic/text/1';
        await client.subscribeResource({ uri });
        await done('toggle-subscriber-updates');
        await heard.until(() => heard.updates.includes(uri));
        await done('toggle-subscriber-updates');
        await client.unsubscribeResource({ uri });
      },
      async prompts() {
        const listed = (await client.listPrompts()).prompts.map(prompt => prompt.name);
        assert(listed.includes('simple-prompt') && listed.includes('args-prompt'), listed);
        const result = await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Lyon' } });
        assert.equal(result.messages[0].content.text, "What's weather in Lyon?");
      },
      async completion() {
        const ref = { type: 'ref/prompt', name: 'completable-prompt' };
        const argument = { name: 'department', value: 'Eng' };
        assert.deepEqual((await client.complete({ ref, argument })).completion.values, ['Engineering']);
      },
    };
  },

  python(client, { call, done, names, watched }) {
    return {
      list_tools: () => names('add', 'capital', 'count', 'divide', 'greet', 'read_notes', 'write_note'),
      async add() {
        const result = await done('add', { a: 2, b: 40 });
        assert.equal(textOf(result), '42');
        assert.deepEqual(result.structuredContent, { result: 42 });
      },
      async notes() {
        await done('write_note', { title: 'typescript', text: TEXT });
        assert.equal((await done('read_notes')).structuredContent.typescript, TEXT);
      },
      async count() {
        const { result, seen } = await watched('count', { steps: 3 });
        assert.equal(textOf(result), 'counted to 3');
        toldSteps(seen, 3);
      },
      async greet() {
        assert.equal(textOf(await done('greet')), 'Hello, Ada!');
      },
      async capital() {
        assert.equal(textOf(await done('capital', { country: 'France' })), 'France: Paris');
      },
      async failure() {
        const result = await call('divide', { a: 1, b: 0 });
        assert(result.isError && textOf(result).includes('divided by zero'), textOf(result));
      },
      async resource() {
        await done('write_note', { title: 'kept', text: 'a note' });
        const { contents } = await client.readResource({ uri: 'note://kept' });
        assert.equal(contents[0].text, 'a note');
        await assert.rejects(client.readResource({ uri: 'note://nothing' }));
      },
      async prompt() {
        const result = await client.getPrompt({ name: 'summarise', arguments: { title: 'kept' } });
        assert.equal(result.messages[0].content.text, 'Summarise the note kept.');
      },
    };
  },
};

const kind = KINDS[positionals[0]];
if (!kind) {
  console.error(`say which kind of server: ${Object.keys(KINDS).join(', ')}`);
  process.exit(2);
}
await main(client => kind(client, handsOf(client)));
