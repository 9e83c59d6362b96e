/*
 * Mercurius on Fastify and a Drizzle transaction; JIT as the environment says: compiled at a document's first
 * use, or never.
 */
import { makeExecutableSchema } from '@graphql-tools/schema';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { authenticate } from './desk/database.js';
import { resolvers } from './desk/resolvers.js';
import { typeDefs } from './desk/type-defs.js';

const app = Fastify();
app.register(mercurius, {
  schema: makeExecutableSchema({ typeDefs, resolvers }),
  context: async (request) => ({ viewer: await authenticate(request.headers.authorization) }),
  jit: Number(process.env.JIT),
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.send({ port: app.server.address().port });
