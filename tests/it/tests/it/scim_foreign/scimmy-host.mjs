// SCIMMY, a SCIM 2.0 service provider, with users and groups in memory.
//
// Usage: node scimmy-host.mjs NODE_MODULES, with {"token": ...} as the first line of
// stdin. It prints one line, {"address": ...}, and ends when stdin is closed.
//
// Its libraries read requests, check them against the schemas, apply patches, split
// pages, run bulk requests and write errors. This script stores the resources, with
// the one rule that a store must enforce: no two users have the same name.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const load = createRequire(resolve(process.argv[2], 'of-this-folder.js'));
const express = load('express');
const SCIMMY = load('scimmy').default ?? load('scimmy');
const routers = load('scimmy-routers');
const Routers = routers.default ?? routers;

const [line] = await once(createInterface({ input: process.stdin }), 'line');
const { token } = JSON.parse(line);
process.stdin.on('end', () => process.exit(0)).resume();

class Store {
  #kept = new Map();
  #isTaken;

  constructor(isTaken) {
    this.#isTaken = isTaken;
  }

  #get(id) {
    const found = this.#kept.get(id);
    if (!found) throw new SCIMMY.Types.Error(404, null, `There is no ${id}`);
    return found;
  }

  write(id, given) {
    const before = id ? this.#get(id) : { id: randomUUID(), meta: { created: new Date() } };
    const { schemas, meta, groups, ...values } = JSON.parse(JSON.stringify(given));
    const others = [...this.#kept.values()].filter((it) => it.id !== before.id);
    if (others.some((other) => this.#isTaken(values, other))) {
      throw new SCIMMY.Types.Error(409, 'uniqueness', 'Somebody else has this name');
    }
    const after = {
      ...values,
      id: before.id,
      meta: { created: before.meta.created, lastModified: new Date() },
    };
    this.#kept.set(after.id, after);
    return after;
  }

  read({ id, filter }) {
    if (id) return this.#get(id);
    const all = [...this.#kept.values()];
    return filter ? filter.match(all) : all;
  }

  remove(id) {
    this.#get(id);
    this.#kept.delete(id);
  }

  declare(resource) {
    SCIMMY.Resources.declare(resource, {
      ingress: ({ id }, given) => this.write(id, given),
      egress: (asked) => this.read(asked),
      degress: ({ id }) => this.remove(id),
    });
  }
}

const same = (one, other) => one?.toLowerCase() === other?.toLowerCase();
new Store((one, other) => same(one.userName, other.userName)).declare(SCIMMY.Resources.User);
new Store(() => false).declare(SCIMMY.Resources.Group);
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);

const app = express();
app.use('/scim/v2', new Routers({
  type: 'bearer',
  handler: (request) => {
    if (request.header('Authorization') !== `Bearer ${token}`) throw new Error('Not this token');
    return 'rollcall';
  },
}));
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(JSON.stringify({ address: `http://127.0.0.1:${server.address().port}/scim/v2` }));
