/* GraphQL Yoga and a Drizzle transaction, as its documentation has it. */
import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { authenticate } from './desk/database.js';
import { resolvers } from './desk/resolvers.js';
import { typeDefs } from './desk/type-defs.js';

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: async ({ request }) => ({ viewer: await authenticate(request.headers.get('authorization')) }),
  graphiql: false,
  landingPage: false,
});
const server = createServer(yoga);
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
