/* PostGraphile 5 with its own preset; the mutation is a function in the database (postgraphile.sql). */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const pool = new pg.Pool({ max: Number(process.env.DATABASE_POOL) });

async function authenticate(authorization) {
  const token = authorization?.match(/^Bearer (.+)$/)?.[1];
  if (!token) return undefined;
  const { rows } = await pool.query({
    name: 'authenticate',
    text: `select u.id from api_tokens t join users u on u.id = t.user_id
      where t.token_hash = $1 and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
         and u.disabled_at is null`,
    values: [createHash('sha256').update(token).digest()],
  });
  return rows[0]?.id;
}

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ['public'] })],
  grafserv: { graphiql: false, watch: false },
  grafast: {
    async context({ node }) {
      const viewer = await authenticate(node?.req.headers.authorization);
      return { pgSettings: { 'bench.viewer_id': String(viewer ?? '') } };
    },
  },
};

const server = createServer();
const serv = postgraphile(preset).createServ(grafserv);
await serv.addTo(server);
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
