/* Apollo Server 5 and a Drizzle transaction, by its standalone server. */
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { authenticate } from './desk/database.js';
import { resolvers } from './desk/resolvers.js';
import { typeDefs } from './desk/type-defs.js';

const { url } = await startStandaloneServer(new ApolloServer({ typeDefs, resolvers }), {
  context: async ({ req }) => ({ viewer: await authenticate(req.headers.authorization) }),
  listen: { port: 0, host: '127.0.0.1' },
});
process.send({ port: Number(new URL(url).port) });
